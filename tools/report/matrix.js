"use strict";
// Filters by line, flavour and words, and sorting. Switching states works without this script.
{
  const find = (selector) => document.querySelector(selector);
  const table = find(".kernels");
  const body = table.tBodies[0];
  const rows = Array.from(body.rows, (row) => ({ row, text: row.textContent.toLowerCase() }));
  const [line, flavour, query] = [find("#line"), find("#flavour"), find("#query")];
  const answer = find(".toolbar output");

  function filter() {
    const words = query.value.trim().toLowerCase();
    for (const { row, text } of rows) {
      const fits = (choice, value) => !choice || choice === value;
      row.hidden = !fits(line.value, row.dataset.line) || !fits(flavour.value, row.dataset.flavour) || !text.includes(words);
    }
    const shown = rows.filter(({ row }) => row.checkVisibility()).length;
    answer.value = shown === rows.length ? "" : `${shown} of ${rows.length} shown`;
  }

  function sort(heading) {
    const column = heading.cellIndex;
    const down = heading.getAttribute("aria-sort") === "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
    const key = ({ row }) => row.cells[column].dataset.key;
    const numeric = rows.every((row) => !Number.isNaN(Number(key(row))));
    const order = numeric ? (a, b) => key(a) - key(b) : (a, b) => key(a).localeCompare(key(b));
    body.append(...rows.toSorted((a, b) => (down ? order(b, a) : order(a, b))).map(({ row }) => row));
  }

  for (const heading of table.tHead.rows[0].cells) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = heading.textContent;
    button.addEventListener("click", () => sort(heading));
    heading.replaceChildren(button);
  }
  query.addEventListener("input", filter);
  find(".toolbar").addEventListener("change", filter);
  query.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      query.value = "";
      filter();
      query.blur();
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !event.ctrlKey && !event.metaKey && event.target !== query) {
      event.preventDefault();
      query.focus();
      query.select();
    }
  });
  // A square of the overview leads to its row also when a filter hides it.
  find(".overview").addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (!link) return;
    const row = document.getElementById(decodeURIComponent(link.hash.slice(1)));
    if (row.checkVisibility()) return;
    for (const input of [line, flavour, query]) input.value = "";
    find(`#show-${row.className}`).checked = true;
    filter();
  });
  document.documentElement.classList.add("js");
}
