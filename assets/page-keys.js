/* The keys: to the question, through the results, and out of what is open. */
(() => {
  const { queryBox, isCalm, setQuery, entered, toggleSettings } = window.page;
  const root = document.documentElement;
  const hits = () => [...document.querySelectorAll("#results .hit")].filter((hit) => hit.offsetParent !== null);

  const moveTo = (hit) => {
    if (!hit) return;
    hit.focus({ preventScroll: true });
    hit.scrollIntoView({ block: "nearest", behavior: isCalm() ? "auto" : "smooth" });
  };

  /* `/` goes to the question, arrows through the results, `c` copies the code of one, Enter opens it. */
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.key === "Escape" && root.classList.contains("settings-open")) {
      event.stopImmediatePropagation(); /* it closes the settings, and nothing else */
      document.getElementById("settings-button")?.focus();
      toggleSettings(false);
      return;
    }
    const target = event.target instanceof Element ? event.target : document.body;
    const box = queryBox();
    if (target === box) {
      if (event.key === "Enter") entered();
      else if (event.key === "Escape" && box.value) {
        event.preventDefault();
        setQuery("");
      } else if (event.key === "ArrowDown" && hits().length) {
        event.preventDefault();
        moveTo(hits()[0]);
      }
      return;
    }
    if (target.closest("input, textarea, select, [contenteditable], [role=listbox], [role=slider]")) return;
    if (event.key === "/") {
      event.preventDefault();
      box?.focus();
      box?.select();
      return;
    }
    const hit = target.closest("#results .hit");
    if (!hit) return;
    const all = hits();
    const place = all.indexOf(hit);
    if (event.key === "ArrowDown" || event.key === "j") {
      event.preventDefault();
      moveTo(all[place + 1]);
    } else if (event.key === "ArrowUp" || event.key === "k") {
      event.preventDefault();
      if (place > 0) moveTo(all[place - 1]);
      else box?.focus();
    } else if (event.key === "c") {
      hit.querySelector("button[data-copy]")?.click();
      moveTo(hit);
    } else if (event.key === "Enter" && target === hit) {
      hit.querySelector("h3 a")?.click();
    } else if (event.key === "Escape") {
      box?.focus();
    }
  });
})();
