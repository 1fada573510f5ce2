"use strict";
// Search, links to steps, open and close all. Everything else works without this script.
{
  const find = (selector) => document.querySelector(selector);
  const main = find("main");
  const query = find("#query");
  const form = query.form;
  const answer = form.querySelector("output");
  const only = find("#only");
  // A browser slows down with more marked words than this; their lines are found all the same.
  const MARKED = 5000;
  let lines = null; // [{element, text in lower case}], made by the first search
  let found = [];
  let holders = new Set(); // what holds a found line, up to <main>
  let now = -1;

  function openAround(element) {
    for (let outer = element.parentElement.closest("details"); outer; outer = outer.parentElement.closest("details")) {
      outer.open = true;
    }
  }

  function show(element) {
    openAround(element);
    element.scrollIntoView({ block: "center" });
  }

  function mark(words) {
    if (!window.Highlight) return;
    const ranges = [];
    for (const element of words ? found.slice(0, MARKED) : []) {
      const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
      for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const text = node.data.toLowerCase();
        for (let at = text.indexOf(words); at >= 0; at = text.indexOf(words, at + words.length)) {
          ranges.push(new StaticRange({ startContainer: node, startOffset: at, endContainer: node, endOffset: at + words.length }));
        }
      }
    }
    CSS.highlights.set("found", new Highlight(...ranges));
  }

  function say() {
    const count = found.length.toLocaleString("en");
    answer.value = !query.value ? "" : !found.length ? "none" : now < 0 ? `${count} found` : `${(now + 1).toLocaleString("en")} of ${count}`;
  }

  function search() {
    const words = query.value.toLowerCase();
    lines ??= Array.from(main.querySelectorAll(".line"), (element) => ({ element, text: element.textContent.toLowerCase() }));
    for (const element of found) element.classList.remove("found", "found-now");
    for (const element of holders) element.classList.remove("holds-found");
    found = words ? lines.filter((line) => line.text.includes(words)).map((line) => line.element) : [];
    holders = new Set();
    now = -1;
    for (const element of found) {
      element.classList.add("found");
      for (let outer = element.parentElement; outer !== main && !holders.has(outer); outer = outer.parentElement) {
        holders.add(outer);
        outer.classList.add("holds-found");
      }
    }
    mark(words);
    filter();
    say();
  }

  function filter() {
    const filtering = only.checked && found.length > 0;
    document.body.classList.toggle("only", filtering);
    if (filtering) for (const element of holders) if (element.localName === "details") element.open = true;
  }

  function go(step) {
    if (!found.length) return;
    if (now >= 0) found[now].classList.remove("found-now");
    now = now < 0 ? (step > 0 ? 0 : found.length - 1) : (now + step + found.length) % found.length;
    found[now].classList.add("found-now");
    show(found[now]);
    say();
  }

  let waiting = 0;
  query.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(search, 120);
  });
  query.addEventListener("keydown", (event) => {
    if (event.key === "Enter") {
      event.preventDefault();
      clearTimeout(waiting);
      if (now < 0) search();
      go(event.shiftKey ? -1 : 1);
    } else if (event.key === "Escape") {
      query.value = "";
      search();
      query.blur();
    }
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    go(event.submitter?.name === "previous" ? -1 : 1);
  });
  only.addEventListener("change", filter);
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !event.ctrlKey && !event.metaKey && !event.target.matches("input:not([type=checkbox])")) {
      event.preventDefault();
      query.focus();
      query.select();
    }
  });
  const openAll = (open) => main.querySelectorAll("details").forEach((element) => (element.open = open));
  find("#open-all").addEventListener("click", () => openAll(true));
  find("#close-all").addEventListener("click", () => openAll(false));

  function follow() {
    const target = location.hash && document.getElementById(location.hash.slice(1));
    if (!target || !target.classList.contains("step")) return;
    const details = target.querySelector(":scope > details");
    if (details) details.open = true;
    openAround(target);
    target.scrollIntoView();
  }
  window.addEventListener("hashchange", follow);
  document.documentElement.classList.add("js");
  follow();
}
