// Light or dark, set before anything is painted: a classic script in the head of every page.
{
  const system = matchMedia("(prefers-color-scheme: dark)");
  const remembered = () => {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null;
    }
  };
  const use = () => {
    const theme = remembered();
    document.documentElement.dataset.theme = ["light", "dark"].includes(theme) ? theme : system.matches ? "dark" : "light";
  };
  const told = () => window.dispatchEvent(new Event("themechange"));
  use();
  system.addEventListener("change", () => {
    use();
    told();
  });
  // paper is white: images are painted anew for it
  let seen;
  window.addEventListener("beforeprint", () => {
    seen = document.documentElement.dataset.theme;
    document.documentElement.dataset.theme = "light";
    told();
  });
  window.addEventListener("afterprint", () => {
    document.documentElement.dataset.theme = seen;
    told();
  });
}
