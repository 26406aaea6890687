"use strict";
// Before anything is drawn: the colours somebody chose, and whether the rows are drawn by script.
(() => {
  const root = document.documentElement;
  if (typeof DecompressionStream === "function") root.classList.add("js");
  try {
    const theme = localStorage.getItem("plaudit-theme");
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  } catch { /* no storage for this page */ }
})();
