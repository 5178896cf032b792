/* The columns of the comparison: what is pointed at, focused or chosen in one lights up in all of them. */
(() => {
  let chosen = null;

  const board = () => document.querySelector("[data-compare]");
  const picked = (target) => (target instanceof Element ? target.closest("[data-compare] [data-row]") : null);
  const twins = (row) => [...board().querySelectorAll(`[data-row="${CSS.escape(row)}"]`)];

  /* The reference knows the rank of every text, also of those it does not show. */
  const whereabouts = (lit) => {
    const there = lit.map((item) => item.dataset.there).find(Boolean);
    const parts = [...board().querySelectorAll("[data-method]:has(ol)")].map((column) => {
      const item = lit.find((each) => column.contains(each));
      const unseen = "reference" in column.dataset && there ? `#${there}, not shown` : "not found";
      return `${column.dataset.method} ${item === undefined ? unseen : item.dataset.rank ? `#${item.dataset.rank}` : "lost"}`;
    });
    return parts.join("  ·  ");
  };

  const show = (row) => {
    const root = board();
    if (root === null) return;
    const trace = root.querySelector("[data-trace]");
    trace.dataset.idle ??= trace.textContent;
    const lit = row === null ? [] : twins(row);
    root.classList.toggle("linking", lit.length > 0);
    for (const item of root.querySelectorAll("[data-row]")) {
      item.classList.toggle("lit", lit.includes(item));
      item.querySelector("button")?.setAttribute("aria-pressed", String(chosen !== null && item.dataset.row === chosen));
    }
    const text = lit.length === 0 ? trace.dataset.idle : whereabouts(lit);
    if (trace.textContent !== text) trace.textContent = text;
    trace.classList.toggle("found", lit.length > 0);
  };

  const choose = (row) => {
    chosen = row;
    show(row);
  };

  document.addEventListener("pointerover", (event) => {
    if (event.pointerType === "touch") return;
    const item = picked(event.target);
    if (item !== null) show(item.dataset.row);
  });
  document.addEventListener("pointerout", (event) => {
    if (event.pointerType !== "touch" && picked(event.target) !== null && picked(event.relatedTarget) === null) show(chosen);
  });
  document.addEventListener("focusin", (event) => {
    const item = picked(event.target);
    if (item !== null) show(item.dataset.row);
  });
  document.addEventListener("focusout", (event) => {
    if (picked(event.target) !== null && picked(event.relatedTarget) === null) show(chosen);
  });
  document.addEventListener("click", (event) => {
    const item = picked(event.target);
    if (item === null || event.target.closest("a") !== null) return;
    choose(item.dataset.row === chosen ? null : item.dataset.row);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && board()?.classList.contains("linking")) choose(null);
  });
})();
