// Sets the theme before the first paint, so that a dark room stays dark. The page loads this script
// before anything else; main.js applies later choices.

(() => {
  let theme = null;
  let density = null;
  try {
    theme = localStorage.getItem("northgate.theme");
    density = localStorage.getItem("northgate.density");
  } catch {
    // The browser forbids storage: the theme is that of the system.
  }
  const root = document.documentElement;
  const isDark = theme === "dark" || theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = isDark ? "dark" : "light";
  root.dataset.density = density === "compact" ? density : "comfortable";
  root.classList.add(isDark ? "dark-theme" : "light-theme");
})();
