/* Your data: what a click on the server's answer sets off in the browser. */
(() => {
  /* A file that is too large is not sent at all: the page says so at once, instead of after minutes. */
  let refused = ["", "0"];
  const refuse = (event, files) => {
    const limit = Number(document.querySelector(".own-intro[data-max-bytes]")?.dataset.maxBytes);
    const large = [...(files || [])].find((file) => file.size > limit);
    if (!large) return false;
    event.preventDefault();
    event.stopImmediatePropagation();
    refused = [large.name, String(large.size)];
    document.getElementById("own-refused")?.click();
    return true;
  };
  window.ownTooLarge = () => refused;

  document.addEventListener(
    "change",
    (event) => {
      if (!event.target.matches?.("#own-file input[type=file]")) return;
      if (refuse(event, event.target.files)) event.target.value = "";
    },
    true,
  );
  document.addEventListener(
    "drop",
    (event) => {
      if (event.target.closest?.("#own-file")) refuse(event, event.dataTransfer?.files);
    },
    true,
  );

  /* A verdict that arrives is read from its headline on; one that is opened again stays where it was left. */
  document.addEventListener("animationstart", (event) => {
    if (event.animationName !== "own-arrived" || event.target.dataset.seen !== undefined) return;
    event.target.dataset.seen = "";
    event.target.scrollIntoView({ block: "start" });
  });

  /* The link appears with the server's answer, a moment after the handler is done. */
  window.ownFetch = (id) => {
    const link = document.querySelector(`a#${id}, #${id} a, #${id}`);
    if (link) setTimeout(() => link.click(), 50);
  };

  window.ownFocusQuery = () => {
    const box = document.querySelector("#query input, #query textarea");
    setTimeout(() => box?.focus(), 50);
  };
})();
