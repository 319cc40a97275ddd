"use strict";
(() => {
  const tools = document.querySelector(".tools");
  const items = Array.from(document.querySelectorAll("tbody[data-item]"));
  if (!tools || !items.length) return;
  const search = tools.querySelector("input[type=search]");
  const kinds = Array.from(tools.querySelectorAll("input[type=checkbox]"));
  const told = tools.querySelector("output");
  const chunks = Array.from(document.querySelectorAll(".chunk"));
  const parts = Array.from(document.querySelectorAll(".part"));
  let texts = null;
  let asked = 0;

  const read = (item) => {
    // A search for a record finds it by its dataset, too.
    const part = item.closest(".part");
    const name = part ? part.dataset.name + " " : "";
    return (name + item.textContent).toLowerCase();
  };
  const show = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const off = new Set(kinds.filter((one) => !one.checked).map((one) => one.value));
    if (words.length && !texts) texts = items.map(read);
    let shown = 0;
    items.forEach((item, place) => {
      const seen =
        !off.has(item.dataset.item) && words.every((one) => texts[place].includes(one));
      if (item.hidden === seen) item.hidden = !seen;
      if (seen) shown += 1;
    });
    for (const list of [chunks, parts]) {
      for (const one of list) {
        const any = one.querySelector("tbody[data-item]:not([hidden])");
        one.hidden = !any && (words.length > 0 || off.size > 0);
      }
    }
    const all = items.length.toLocaleString("en");
    told.textContent =
      shown === items.length ? `${all} shown` : `${shown.toLocaleString("en")} of ${all} shown`;
  };
  const soon = () => {
    cancelAnimationFrame(asked);
    asked = requestAnimationFrame(show);
  };
  search.addEventListener("input", soon);
  kinds.forEach((one) => one.addEventListener("change", soon));
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== search) {
      event.preventDefault();
      search.focus();
    } else if (event.key === "Escape" && document.activeElement === search) {
      search.value = "";
      soon();
    }
  });
  tools.hidden = false;
  show();
})();
