// Runs before the first paint: the reader's choice of dark or light, if they have made one.
(() => {
  "use strict";
  try {
    const chosen = localStorage.getItem("ringback-theme");
    if (chosen === "dark" || chosen === "light") document.documentElement.dataset.theme = chosen;
  } catch {
    // No storage: the system's choice holds.
  }
})();
