/* The buttons that copy code or the link, and those that unfold what is long. */
(() => {
  const SHOWN_MS = 1600;

  /* Older browsers, and pages served over plain HTTP from another machine, have no clipboard API. */
  const copyByHand = (text) => {
    const area = document.createElement("textarea");
    area.value = text;
    area.setAttribute("readonly", "");
    area.style.position = "fixed";
    area.style.opacity = "0";
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  };

  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      return copyByHand(text);
    }
  };

  const confirm = (button, done, label) => {
    button.textContent = done ? "Copied" : "Select and copy by hand";
    button.classList.toggle("done", done);
    button.focus();
    setTimeout(() => {
      button.textContent = label;
      button.classList.remove("done");
    }, SHOWN_MS);
  };

  /* One listener for all buttons: results come and go, the listener stays. */
  document.addEventListener("click", async (event) => {
    const button = event.target instanceof Element ? event.target.closest("button[data-copy], button[data-copy-link]") : null;
    if (!button) return;
    const isLink = button.hasAttribute("data-copy-link");
    const text = isLink ? window.location.href : button.parentElement.querySelector("code").textContent;
    confirm(button, await copy(text), isLink ? "Copy link" : "Copy");
  });

  const unfold = (button) => {
    const isOpen = button.parentElement.classList.toggle("open");
    button.dataset.label ??= button.textContent;
    button.textContent = isOpen ? "Show less" : button.dataset.label;
    button.setAttribute("aria-expanded", String(isOpen));
  };

  document.addEventListener("click", (event) => {
    const fold = event.target instanceof Element ? event.target.closest("button[data-fold]") : null;
    if (fold) unfold(fold);
  });
})();
