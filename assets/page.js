/* Asking while one types, the address, and what the page says of an answer. */
(() => {
  const PAUSE_MS = 150;
  window.pauseMs = PAUSE_MS; /* scripts/page_latency.py asks for it */
  const AGAIN_MS = 3000;
  const LOST_MS = 15000;
  const MEMORY_MS = 3000;
  const MOUNTED_MS = 10000;
  const CHOSEN_MS = 100;
  const SETTINGS = ["k", "n", "m", "asymmetric", "rescore", "scan", "p"];
  const root = document.documentElement;
  const queryBox = () => document.querySelector("#query input, #query textarea");
  const isCalm = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  let pause = 0;
  let again = 0;
  let lost = 0;
  let memory = 0;
  let wantsView = false;
  /* How the answer that is awaited was asked for: `enter` keeps the query in the history, `move` goes on from there, and
     null is typing, which changes the entry that the visitor is at. */
  let entry = null;
  let isKept = true;
  let isReturning = false;
  let hasArrived = false;

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

  /* Without an answer, the address does not know the text yet: it is put there, so that a reload finds it. */
  const keepText = () => {
    const parts = new URLSearchParams(window.location.search);
    const text = queryBox()?.value ?? "";
    if (text.trim()) parts.set("q", text);
    else parts.delete("q");
    window.history.replaceState(null, "", `${window.location.pathname}?${parts}`);
  };

  /* An answer is pending: the page shows that at once, asks again if none comes, and finally says so. */
  const waiting = () => {
    document.body.classList.add("asking");
    document.body.classList.remove("lost");
    clearTimeout(again);
    clearTimeout(lost);
    again = setTimeout(() => document.getElementById("follow")?.click(), AGAIN_MS);
    lost = setTimeout(() => {
      document.body.classList.add("lost");
      keepText();
    }, LOST_MS);
  };

  /* From the first query on, and in all views but the first, the head is one line. Told by classes, so that it happens
     in one frame; a link with a query or a view is known before anything is laid out. */
  const address = new URLSearchParams(window.location.search);
  const becomeCompact = () => root.classList.add("compact");
  const noteText = (text) => {
    root.classList.toggle("has-text", text !== "");
    if (text.trim()) becomeCompact();
  };
  if (address.has("view")) becomeCompact();
  const noteView = (view) => root.classList.toggle("asks-nothing", ["own", "benchmarks"].includes(view));
  noteView(address.get("view"));
  noteText(address.get("q") ?? "");

  const ask = () => {
    clearTimeout(pause);
    waiting();
    document.getElementById("follow")?.click();
  };

  /* Results follow the typing, once it pauses. */
  document.addEventListener("input", (event) => {
    if (event.target === queryBox()) {
      noteText(event.target.value);
      if (event.isComposing) return;
      clearTimeout(pause);
      pause = setTimeout(ask, PAUSE_MS);
    } else if (event.target.closest?.("#settings, #index")) {
      if (event.target.closest("#index")) entry = "move";
      waiting();
    }
  });

  const setQuery = (text) => {
    const box = queryBox();
    box.value = text;
    noteText(text);
    box.dispatchEvent(new Event("input", { bubbles: true }));
    wantsView = true;
    /* Gradio takes the text over in its own time. */
    setTimeout(ask, 0);
  };

  /* Results begin right below the bar: move up to them, where the page was scrolled further. */
  const revealResults = () => {
    if (window.scrollY > 0) window.scrollTo({ top: 0, behavior: isCalm() ? "auto" : "smooth" });
  };

  /* The button says how many settings differ from those of the index: the address has these only. */
  const countSettings = (parts) => {
    const button = document.getElementById("settings-button");
    if (!button) return;
    const changed = SETTINGS.filter((name) => parts.has(name)).length;
    button.querySelector(".words").textContent = changed ? `Settings \u00b7 ${changed} changed` : "Settings";
    button.setAttribute("aria-label", button.textContent);
    if (changed) button.dataset.changed = changed;
    else delete button.dataset.changed;
  };

  /* On a narrow screen the strip of tabs is pushed until the selected one is in sight. */
  const showTab = () => {
    const tab = document.querySelector("#views [role=tab][aria-selected=true]");
    const strip = tab?.parentElement;
    if (strip) strip.scrollLeft = tab.offsetLeft - strip.offsetLeft - (strip.clientWidth - tab.offsetWidth) / 2;
  };

  /* The document that is looked at closely may be one of the last. */
  const showDocument = () => {
    const label = document.querySelector("#hood-document label.selected");
    const strip = label?.parentElement;
    if (strip) strip.scrollLeft = label.offsetLeft - strip.offsetLeft - 8;
  };

  /* A region that stays, so that screen readers hear of each answer. */
  const announce = () => {
    let region = document.getElementById("announced");
    if (!region) {
      region = document.createElement("p");
      region.id = "announced";
      region.setAttribute("role", "status");
      document.body.append(region);
    }
    const view = document.querySelector("#views [role=tab][aria-selected=true]");
    const said = document.querySelector("#results .summary, #results .message strong")?.textContent;
    const isSearch = view?.dataset.tabId === "search";
    const text = (isSearch ? said : view && `${view.textContent.trim()}: answered for ${queryBox()?.value}`) ?? "";
    if (region.textContent !== text) region.textContent = text;
  };

  /* Gradio loses the choice of a tab that is made while the tabs are being mounted: on a busy machine, one in some
     dozens. The view of a link is chosen until it stays, or until the visitor does anything. */
  const showView = (key) => {
    const until = Date.now() + MOUNTED_MS;
    const choose = () => {
      if (isTouched || Date.now() > until) document.body.dataset.arrived = "";
      else {
        if (window.openView() === key) document.body.dataset.arrived = "";
        else document.querySelector(`#views [role=tab][data-tab-id="${CSS.escape(key)}"]`)?.click();
        setTimeout(choose, CHOSEN_MS);
      }
    };
    choose();
  };
  let isTouched = false;
  for (const touch of ["pointerdown", "keydown"]) window.addEventListener(touch, () => { isTouched = true; }, { capture: true, once: true });

  /* Back and forward go through views, indexes, and queries that were entered. */
  const go = (target, isThere) => {
    const isElsewhere = target !== window.location.pathname + window.location.search;
    if (isElsewhere && !isThere && (isKept || entry === "move")) window.history.pushState(null, "", target);
    else if (isElsewhere) window.history.replaceState(null, "", target);
    isKept = isThere || entry !== null || (isKept && !isElsewhere);
    entry = null;
  };

  window.addEventListener("popstate", () => {
    clearTimeout(pause);
    entry = null;
    isReturning = true;
    waiting();
    document.getElementById("revisit")?.click();
  });

  /* What a visitor built is gone with the page. */
  window.addEventListener("beforeunload", (event) => {
    if (!document.querySelector(".own-verdict")) return;
    event.preventDefault();
    /* Gradio has closed the connection by now, before the visitor has answered. Visitors who stay open it again. */
    setTimeout(() => document.getElementById("follow")?.click(), 0);
  });

  /* Called after every answer: the address says what is shown, so that a copied link opens the same view. */
  window.pageAnswered = (address, askAgain) => {
    settled();
    if (askAgain === "arrived") {
      hasArrived = true;
      const linked = new URLSearchParams(address ?? "").get("view");
      if (linked) showView(linked);
      else document.body.dataset.arrived = "";
    }
    showTab();
    showDocument();
    if (document.body.dataset.arrived !== undefined) noteView(window.openView());
    const text = queryBox()?.value ?? "";
    const isStale = ["arrived", "if-changed"].includes(askAgain) && text !== (new URLSearchParams(address ?? "").get("q") ?? "");
    if (text.trim() && (askAgain === "always" || isStale)) ask();
    if (document.body.dataset.arrived !== undefined) noteText(text);
    if (text.trim()) {
      measureMemorySoon();
      announce();
    }
    if (wantsView) revealResults();
    wantsView = false;
    if (typeof address !== "string") return [];
    countSettings(new URLSearchParams(address));
    /* Nobody else can open an index of the visitor's own: its link is not offered. */
    root.classList.toggle("own-index", document.querySelector("#index input")?.value.startsWith("Yours: ") ?? false);
    /* Gradio reports the tab that is open while it mounts the page. The answer to that may come before the link has
       been read: until then, the address stays. On the way back or forward, answers to what was asked before may still
       come: they lead nowhere. */
    if (askAgain === "revisited") isReturning = false;
    const isThere = ["arrived", "revisited"].includes(askAgain) || (askAgain === "if-changed" && entry === null);
    if (hasArrived && !isReturning && !isStale) go(window.location.pathname + address, isThere);
    return [];
  };

  /* Called where the server has refused to read the address, or to answer at all: what is asked from now on may change
     the address again. */
  window.pageFailed = () => {
    settled();
    hasArrived = true;
    isReturning = false;
    document.body.dataset.arrived = "";
    return [];
  };

  /* The tab that is open in this browser; `known` while the tabs are not there yet. */
  window.openView = (known) =>
    document.querySelector('#views [role=tab][aria-selected="true"]')?.dataset.tabId ?? known;

  const toggleSettings = (open) => {
    const isOpen = root.classList.toggle("settings-open", open);
    document.getElementById("settings-button")?.setAttribute("aria-expanded", String(isOpen));
  };

  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    if (target?.closest("#settings-button")) toggleSettings();
    else if (event.isTrusted && root.classList.contains("settings-open") && target && !target.closest("#settings, [role=listbox]")) toggleSettings(false);
    if (target?.closest("#views [role=tab]:not([data-tab-id=search])")) becomeCompact();
    const tab = target?.closest("#views [role=tab]");
    if (tab) {
      noteView(tab.dataset.tabId);
      requestAnimationFrame(showTab);
    }
    const example = target?.closest("button[data-example]");
    if (example || target?.closest("#search")) entry = "enter";
    if (event.isTrusted && target?.closest("#views [role=tab]")) entry = "move";
    if (example) setQuery(example.textContent);
    else if (target?.closest("#search, #views [role=tab], #settings button.sm")) waiting();
  });

  /* For the keys, which are in a file of their own. */
  const entered = () => {
    clearTimeout(pause);
    waiting();
    wantsView = true;
    entry = "enter";
  };
  window.page = { queryBox, isCalm, setQuery, entered, toggleSettings };
})();
