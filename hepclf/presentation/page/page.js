"use strict";
(() => {
  // Details are closed on a screen, and part of what is printed.
  const details = [...document.querySelectorAll("details")];
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = details.filter((element) => !element.open);
    opened.forEach((element) => { element.open = true; });
  });
  addEventListener("afterprint", () => opened.forEach((element) => { element.open = false; }));

  const source = document.getElementById("data");
  if (!source) return;
  const { cuts, columns, start } = JSON.parse(source.textContent);
  const slider = document.getElementById("threshold");
  const cells = [...document.querySelectorAll("[data-column]")];
  const marks = [...document.querySelectorAll("[data-row]")];
  const drawing = document.querySelector("#slider svg");
  let row = start;

  // The row of the cut nearest to a position; cuts rise.
  function nearest(position) {
    let low = 0;
    let high = cuts.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (cuts[middle] <= position) low = middle;
      else high = middle;
    }
    return position - cuts[low] <= cuts[high] - position ? low : high;
  }

  function show(index) {
    row = Math.min(Math.max(index, 0), cuts.length - 1);
    for (const element of cells) element.textContent = columns[element.dataset.column][row];
    slider.value = cuts[row];
    slider.setAttribute("aria-valuetext", columns.cut[row]);
    for (const mark of marks) mark.setAttribute("aria-pressed", String(Number(mark.dataset.row) === row));
    if (!drawing) return;
    const { low, high } = drawing.dataset;
    const share = Math.min(Math.max((cuts[row] - low) / (high - low), 0), 1);
    const x = share * drawing.viewBox.baseVal.width;
    document.getElementById("rejected").setAttribute("width", x);
    for (const end of ["x1", "x2"]) document.getElementById("edge").setAttribute(end, x);
  }

  const steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -25, PageUp: 25, Home: -cuts.length, End: cuts.length };
  slider.addEventListener("input", () => show(nearest(Number(slider.value))));
  slider.addEventListener("keydown", (event) => {
    if (!(event.key in steps)) return;
    event.preventDefault();
    show(row + steps[event.key]);
  });
  document.getElementById("less").addEventListener("click", () => show(row - 1));
  document.getElementById("more").addEventListener("click", () => show(row + 1));
  for (const mark of marks) mark.addEventListener("click", () => show(Number(mark.dataset.row)));
  show(start);
})();
