"use strict";
(() => {
  const root = document.documentElement;
  const find = (selector) => document.querySelector(selector);
  const all = (selector) => Array.from(document.querySelectorAll(selector));

  // Light or dark: what the reader chose, or else what the machine prefers.
  const kept = {
    get() { try { return localStorage.getItem("fps-lab-theme"); } catch { return null; } },
    set(theme) { try { localStorage.setItem("fps-lab-theme", theme); } catch { /* it is for this time alone */ } },
  };
  const theme = find("#theme");
  const prefersDark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme || (prefersDark.matches ? "dark" : "light")) === "dark";
  const chosen = kept.get();
  if (chosen === "dark" || chosen === "light") root.dataset.theme = chosen;
  theme.hidden = false;
  theme.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    kept.set(root.dataset.theme);
  });

  // The filter: every word has to be somewhere in a scenario.
  const scenarios = all(".scenario");
  const words = find("#words");
  const shown = find("#shown");
  find("#filter").hidden = scenarios.length < 2;
  words.addEventListener("input", () => {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const it of scenarios) {
      it.hidden = !wanted.every((word) => it.dataset.words.includes(word));
      if (!it.hidden) count += 1;
    }
    for (const section of all(".scenarios")) section.hidden = !section.querySelector(".scenario:not([hidden])");
    shown.textContent = wanted.length ? `${count} of ${scenarios.length} scenarios` : "";
  });
  for (const button of all("[data-open]")) {
    button.addEventListener("click", () => {
      for (const it of scenarios) if (!it.hidden) it.open = button.dataset.open === "all";
    });
  }

  // A link to something that is closed opens it.
  const open = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let it = target; it; it = it.parentElement) if (it.tagName === "DETAILS") it.open = true;
    if (target) target.scrollIntoView();
  };
  addEventListener("hashchange", open);
  if (location.hash.length > 1) open();
})();
