/* Asking while one types, the keys, the address, the copy buttons. */
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

  const PAUSE_MS = 150;
  window.pauseMs = PAUSE_MS; /* scripts/page_latency.py asks for it */
  const AGAIN_MS = 3000;
  const LOST_MS = 15000;
  const MEMORY_MS = 3000;
  const queryBox = () => document.querySelector("#query input, #query textarea");
  const hits = () => [...document.querySelectorAll("#results .hit")].filter((hit) => hit.offsetParent !== null);
  const isCalm = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  let pause = 0;
  let again = 0;
  let lost = 0;
  let memory = 0;
  let wantsView = false;

  /* What the process holds is measured some seconds after an answer, and never while one is awaited. */
  const measureMemory = () => {
    memory = 0;
    if (document.body.classList.contains("asking")) measureMemorySoon();
    else document.getElementById("measure-memory")?.click();
  };
  const measureMemorySoon = () => {
    memory ||= setTimeout(measureMemory, MEMORY_MS);
  };

  const settled = () => {
    document.body.classList.remove("asking", "lost");
    clearTimeout(again);
    clearTimeout(lost);
  };

  /* An answer is under way: the page shows it at once, asks once more when none comes, and says so in the end. */
  const waiting = () => {
    document.body.classList.add("asking");
    document.body.classList.remove("lost");
    clearTimeout(again);
    clearTimeout(lost);
    again = setTimeout(() => document.getElementById("follow")?.click(), AGAIN_MS);
    lost = setTimeout(() => document.body.classList.add("lost"), LOST_MS);
  };

  const ask = () => {
    clearTimeout(pause);
    waiting();
    document.getElementById("follow")?.click();
  };

  /* Results follow the typing, once it pauses. */
  document.addEventListener("input", (event) => {
    if (event.target === queryBox()) {
      if (event.isComposing) return;
      clearTimeout(pause);
      pause = setTimeout(ask, PAUSE_MS);
    } else if (event.target.closest?.("#settings, #index")) {
      waiting();
    }
  });

  const setQuery = (text) => {
    const box = queryBox();
    box.value = text;
    box.dispatchEvent(new Event("input", { bubbles: true }));
    wantsView = true;
    /* Gradio takes the text over in its own time. */
    setTimeout(ask, 0);
  };

  /* On a phone the answer arrives below the edge of the screen: move up to the query, so that both are seen. */
  const revealResults = () => {
    const results = document.getElementById("results");
    if (!results || results.getBoundingClientRect().top < window.innerHeight * 0.6) return;
    document.getElementById("query-area").scrollIntoView({ behavior: isCalm() ? "auto" : "smooth" });
  };

  /* Called after every answer: the address says what is shown, so that a copied link opens the same view. */
  window.pageAnswered = (address, askAgain) => {
    settled();
    if (askAgain === "arrived") document.body.dataset.arrived = "";
    const text = queryBox()?.value ?? "";
    const isStale = ["arrived", "if-changed"].includes(askAgain) && text !== (new URLSearchParams(address ?? "").get("q") ?? "");
    if (text.trim() && (askAgain === "always" || isStale)) ask();
    if (text.trim()) measureMemorySoon();
    if (wantsView) revealResults();
    wantsView = false;
    if (typeof address !== "string") return [];
    const target = window.location.pathname + address;
    if (target !== window.location.pathname + window.location.search) window.history.replaceState(null, "", target);
    return [];
  };

  /* The tab that is open in this browser; `known` while the tabs are not there yet. */
  window.openView = (known) =>
    document.querySelector('#views [role=tab][aria-selected="true"]')?.dataset.tabId ?? known;

  const moveTo = (hit) => {
    if (!hit) return;
    hit.focus({ preventScroll: true });
    hit.scrollIntoView({ block: "nearest", behavior: isCalm() ? "auto" : "smooth" });
  };

  /* `/` goes to the question, arrows through the results, `c` copies the code of one, Enter opens it. */
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const target = event.target instanceof Element ? event.target : document.body;
    const box = queryBox();
    if (target === box) {
      if (event.key === "Enter") {
        clearTimeout(pause);
        waiting();
        wantsView = true;
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

  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const example = target?.closest("button[data-example]");
    if (example) setQuery(example.textContent);
    else if (target?.closest("#search, #views [role=tab], #settings button.sm")) waiting();
  });

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
})();
