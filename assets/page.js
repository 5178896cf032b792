/* The copy buttons, and bringing the answer into view. */
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

  /* On a phone the answer arrives below the edge of the screen: move up to the query, so that both are seen. */
  window.revealResults = () => {
    const results = document.getElementById("results");
    if (!results || results.getBoundingClientRect().top < window.innerHeight * 0.6) return;
    const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    document.getElementById("query-area").scrollIntoView({ behavior: calm ? "auto" : "smooth" });
  };

  const PAUSE_MS = 150;
  let pause = 0;
  const queryBox = () => document.querySelector("#query input, #query textarea");
  const ask = () => {
    document.body.classList.add("asking");
    document.getElementById("follow")?.click();
  };

  /* Results follow the typing, once it pauses. Enter is sent by Gradio itself. */
  document.addEventListener("input", (event) => {
    if (event.target !== queryBox() || event.isComposing) return;
    clearTimeout(pause);
    pause = setTimeout(ask, PAUSE_MS);
  });
  document.addEventListener("keydown", (event) => {
    if (event.target === queryBox() && event.key === "Enter") clearTimeout(pause);
  });

  /* Called after every answer: the address says what is shown, so that a copied link opens the same view. */
  window.pageAnswered = (address) => {
    document.body.classList.remove("asking");
    const target = window.location.pathname + (address || "");
    if (target !== window.location.pathname + window.location.search) window.history.replaceState(null, "", target);
    return [];
  };

  /* One listener for all buttons: results come and go, the listener stays. */
  document.addEventListener("click", async (event) => {
    const button = event.target instanceof Element ? event.target.closest("button[data-copy]") : null;
    if (!button) return;
    const done = await copy(button.parentElement.querySelector("code").textContent);
    button.textContent = done ? "Copied" : "Select and copy by hand";
    button.classList.toggle("done", done);
    button.focus();
    setTimeout(() => {
      button.textContent = "Copy";
      button.classList.remove("done");
    }, SHOWN_MS);
  });
})();
