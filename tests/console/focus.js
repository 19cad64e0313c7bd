// What somebody who goes by the Tab key would stumble over at the element that has the focus (WCAG 2.2: 1.4.11, 2.4.7, 2.4.11).
// Null: nothing has it any more.
() => {
  const element = document.activeElement;
  if (!element || element === document.body) return null;
  const what = element.outerHTML.slice(0, 100);
  const style = getComputedStyle(element);
  const width = parseFloat(style.outlineWidth);
  if (style.outlineStyle === "none" || width < 2) return `no outline: ${what}`;
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = (colour) => colour.slice(0, 3).reduce((sum, part, at) => {
    const scaled = part / 255;
    return sum + [0.2126, 0.7152, 0.0722][at] * (scaled <= 0.04045 ? scaled / 12.92 : ((scaled + 0.055) / 1.055) ** 2.4);
  }, 0);
  let ground = rgba(getComputedStyle(document.documentElement).backgroundColor);
  for (let each = element.parentElement; each; each = each.parentElement) {
    const colour = rgba(getComputedStyle(each).backgroundColor);
    if (colour[3] < 255) continue;
    ground = colour;
    break;
  }
  const [high, low] = [light(rgba(style.outlineColor)), light(ground)].sort((one, other) => other - one);
  if ((high + 0.05) / (low + 0.05) < 3) return `outline of contrast ${((high + 0.05) / (low + 0.05)).toFixed(2)}: ${what}`;
  const box = element.getBoundingClientRect();
  const within = (value, most) => Math.min(Math.max(value, 1), most - 2);
  const top = document.elementFromPoint(within(box.x + box.width / 2, innerWidth), within(box.y + box.height / 2, innerHeight));
  if (top && !element.contains(top) && !top.contains(element) && !top.closest("label")?.contains(element)) {
    return `behind ${top.outerHTML.slice(0, 60)}: ${what}`;
  }
  const reach = width + parseFloat(style.outlineOffset);
  for (let each = element.parentElement; each && each !== document.body; each = each.parentElement) {
    if (getComputedStyle(each).overflowX !== "hidden") continue;
    const edge = each.getBoundingClientRect();
    if (box.left - reach < edge.left - 1 || box.right + reach > edge.right + 1 || box.top - reach < edge.top - 1 || box.bottom + reach > edge.bottom + 1) {
      return `outline cut by ${each.outerHTML.slice(0, 60)}: ${what}`;
    }
  }
  return "";
}
