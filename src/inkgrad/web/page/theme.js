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
  use();
  system.addEventListener("change", () => {
    use();
    window.dispatchEvent(new Event("themechange"));
  });
}
