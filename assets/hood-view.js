/* Under the hood: one dimension, followed through all pictures by pointer or arrow keys. */
(() => {
  const HINT_KEY = "hoodHint";
  const grids = () => [...document.querySelectorAll("#hood .cells")];

  const dataOf = () => {
    const query = document.getElementById("hood-query");
    const shown = document.getElementById("hood-document-steps");
    if (!query?.dataset.query || !shown?.dataset.codes) return null;
    return {
      query: JSON.parse(query.dataset.query),
      bits: shown.dataset.bits,
      codes: JSON.parse(shown.dataset.codes),
      decoded: JSON.parse(shown.dataset.decoded),
    };
  };

  const signed = (value, digits) => (value < 0 ? "−" : "+") + Math.abs(value).toFixed(digits);

  /* What a picture says about one dimension. */
  const words = (kind, dimension, data) => {
    const value = data.query[dimension];
    const bit = value > 0 ? 1 : 0;
    const other = Number(data.bits[dimension]);
    if (kind === "float32") return `${signed(value, 5)} in your query`;
    if (kind === "bits") return `${signed(value, 5)} becomes ${bit}; byte ${Math.floor(dimension / 8)}, bit ${dimension % 8} from the left`;
    if (kind === "pair") return `query ${bit}, document ${other}: ${bit === other ? "the same" : "they differ"}`;
    const decoded = data.decoded[dimension];
    return `code ${String(data.codes[dimension]).replace("-", "−")} stands for ${signed(decoded, 5)}; times the query's ${signed(value, 5)} = ${signed(decoded * value, 5)}`;
  };

  const cornerOf = (grid, dimension) => {
    const { columns, pitch, gap } = grid.dataset;
    const row = Math.floor(dimension / columns);
    const column = dimension % columns;
    return [column * pitch + Math.floor(column / 8) * gap, row * pitch];
  };

  const show = (dimension) => {
    const data = dataOf();
    if (!data) return;
    for (const grid of grids()) {
      const text = `Dimension ${dimension}: ${words(grid.dataset.kind, dimension, data)}`;
      const [x, y] = cornerOf(grid, dimension);
      const cursor = grid.querySelector(".cursor");
      cursor.setAttribute("x", x - 0.5);
      cursor.setAttribute("y", y - 0.5);
      grid.setAttribute("aria-valuenow", dimension);
      grid.setAttribute("aria-valuetext", text);
      const readout = grid.nextElementSibling;
      readout.dataset[HINT_KEY] ??= readout.textContent;
      readout.textContent = text;
      readout.classList.add("told");
    }
  };

  const hide = () => {
    for (const grid of grids()) {
      grid.querySelector(".cursor").setAttribute("x", -99);
      const readout = grid.nextElementSibling;
      if (readout.dataset[HINT_KEY]) readout.textContent = readout.dataset[HINT_KEY];
      readout.classList.remove("told");
    }
  };

  const dimensionAt = (grid, event) => {
    const picture = grid.querySelector("svg");
    const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(picture.getScreenCTM().inverse());
    const columns = Number(grid.dataset.columns);
    const pitch = Number(grid.dataset.pitch);
    const group = 8 * pitch + Number(grid.dataset.gap);
    const byte = Math.floor(place.x / group);
    const column = 8 * byte + Math.min(7, Math.floor((place.x - byte * group) / pitch));
    const dimension = Math.floor(place.y / pitch) * columns + column;
    const inside = column >= 0 && column < columns && dimension >= 0 && dimension < Number(grid.dataset.dim);
    return inside ? dimension : null;
  };

  const gridOf = (event) => (event.target instanceof Element ? event.target.closest("#hood .cells") : null);

  let wasInside = false;
  const follow = (event) => {
    const grid = gridOf(event);
    if (!grid) {
      if (wasInside && !document.activeElement?.matches("#hood .cells")) hide();
      wasInside = false;
      return;
    }
    wasInside = true;
    const dimension = dimensionAt(grid, event);
    if (dimension !== null) show(dimension);
  };
  document.addEventListener("pointermove", follow, { passive: true });
  document.addEventListener("pointerdown", follow, { passive: true });

  document.addEventListener("focusin", (event) => {
    const grid = gridOf(event);
    if (grid && grid.matches(":focus-visible")) show(Number(grid.getAttribute("aria-valuenow")));
  });

  document.addEventListener("keydown", (event) => {
    const grid = gridOf(event);
    if (!grid || event.ctrlKey || event.metaKey || event.altKey) return;
    const columns = Number(grid.dataset.columns);
    const last = Number(grid.dataset.dim) - 1;
    const now = Number(grid.getAttribute("aria-valuenow"));
    const wanted = {
      ArrowRight: now + 1, ArrowLeft: now - 1, ArrowDown: now + columns, ArrowUp: now - columns, Home: 0, End: last,
    }[event.key];
    if (wanted === undefined) return;
    event.preventDefault();
    if (wanted >= 0 && wanted <= last) show(wanted);
  });
})();
