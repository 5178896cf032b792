/* The slider of candidates: what it shows for each number of them came with the comparison. */
(() => {
  document.addEventListener("input", (event) => {
    if (!(event.target instanceof Element) || !event.target.matches("[data-candidates] [data-slider]")) return;
    const section = event.target.closest("[data-candidates]");
    const { levels, words, places } = JSON.parse(section.dataset.candidates);
    const place = Number(event.target.value);
    section.querySelector("[data-level]").textContent = levels[place].toLocaleString("en");
    section.querySelector("[data-found]").textContent = words[place];
    event.target.setAttribute("aria-valuetext", words[place]);
    for (const end of ["x1", "x2"]) section.querySelector("[data-at]").setAttribute(end, places[place]);
    for (const item of section.querySelectorAll("[data-kept]")) item.classList.toggle("missed", item.dataset.kept[place] === "0");
  });
})();
