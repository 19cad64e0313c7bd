// What a reader with weak sight, or with a screen reader, would stumble over (WCAG 2.2: 1.1.1, 1.4.3, 2.5.8, 4.1.2).
() => {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data];
  };
  const background = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const colour = rgba(getComputedStyle(each).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return rgba(getComputedStyle(document.documentElement).backgroundColor);
  };
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((part) => {
      const scaled = part / 255;
      return scaled <= 0.04045 ? scaled / 12.92 : ((scaled + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const contrast = (one, other) => {
    const [high, low] = [light(one), light(other)].sort((a, b) => b - a);
    return (high + 0.05) / (low + 0.05);
  };
  const isShown = (element) => element.checkVisibility() && element.getBoundingClientRect().width > 1;
  const found = [];
  for (const element of document.querySelectorAll("body *")) {
    if (!isShown(element) || element.closest("[disabled], svg")) continue;
    const text = [...element.childNodes].filter((node) => node.nodeType === 3 && node.data.trim()).map((node) => node.data.trim());
    if (!text.length) continue;
    const style = getComputedStyle(element);
    const isLarge = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
    const ratio = contrast(rgba(style.color), background(element));
    if (ratio < (isLarge ? 3 : 4.5)) found.push(`contrast ${ratio.toFixed(2)}: ${text[0].slice(0, 40)}`);
  }
  // A target of fewer than 24 pixels needs so much room round its middle that no other target is in it. Links in running
  // text are as high as their line, and need not be more.
  const targets = [...document.querySelectorAll("a, button, select, textarea, summary, input:not([type=hidden])")]
    .filter((element) => isShown(element) && !element.matches(".skip"));
  const boxes = new Map(targets.map((element) => {
    const label = element.matches("[type=checkbox]") && element.closest("label"); // a click on it counts too
    return [element, (label || element).getBoundingClientRect()];
  }));
  const isSmall = (box) => box.height < 24 || box.width < 24;
  const middle = (box) => [box.x + box.width / 2, box.y + box.height / 2];
  const isNear = ([x, y], box) => Math.hypot(Math.max(box.left - x, 0, x - box.right), Math.max(box.top - y, 0, y - box.bottom)) < 12;
  const isInText = (element) => getComputedStyle(element).display === "inline"
    && [...element.parentElement.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  for (const [element, box] of boxes) {
    if (isSmall(box) && !isInText(element)) {
      const near = targets.find((other) => other !== element && isNear(middle(box), boxes.get(other)));
      if (near || element.matches("button, select, .button")) {
        found.push(`target ${box.width.toFixed()}x${box.height.toFixed()}: ${element.outerHTML.slice(0, 80)}`);
      }
    }
    const name = element.getAttribute("aria-label") || element.textContent.trim() || element.labels?.[0]?.textContent.trim()
      || element.querySelector("[aria-label]")?.getAttribute("aria-label");
    if (!name) found.push(`no name: ${element.outerHTML.slice(0, 80)}`);
  }
  for (const element of document.querySelectorAll(".sections, .bar, .heading, .chips")) {
    if (element.scrollWidth > element.clientWidth + 1) found.push(`scrolls sideways: ${element.outerHTML.slice(0, 60)}`);
  }
  for (const image of document.querySelectorAll("img:not([alt])")) found.push(`no text: ${image.outerHTML.slice(0, 80)}`);
  for (const table of document.querySelectorAll("table")) if (!table.caption) found.push("a table without a caption");
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  for (const id of new Set(ids)) if (ids.filter((each) => each === id).length > 1) found.push(`id twice: ${id}`);
  if (document.documentElement.scrollWidth > innerWidth) found.push(`wider than the window: ${document.documentElement.scrollWidth}`);
  return found;
}
