// What a reader who enlarges a page, or its text's spacing, would lose (WCAG 2.2: 1.4.10, 1.4.12).
() => {
  const found = [];
  const wide = document.documentElement.scrollWidth;
  const isScrolled = (element) => element.closest(".scrolls, pre, .tree, dialog, [hidden]");
  if (wide > innerWidth) found.push(`wider than the window: ${wide}`);
  for (const element of document.querySelectorAll("body *")) {
    const box = element.getBoundingClientRect();
    if (!element.checkVisibility() || box.width < 2 || element.closest(".unseen, .skip, thead, svg") || isScrolled(element)) continue;
    const style = getComputedStyle(element);
    const what = element.outerHTML.slice(0, 90);
    if (style.position === "absolute" && style.clipPath !== "none") continue;
    if (box.right > innerWidth + 1 && style.textOverflow !== "ellipsis" && !element.closest(".listing .unseen")) found.push(`sticks out to ${box.right.toFixed()}: ${what}`);
    // What ends in "…" is whole in the pane or on the page that it leads to.
    const isCut = style.overflowY === "hidden" && element.scrollHeight > element.clientHeight + 2;
    if (isCut) found.push(`cut: ${what}`);
  }
  return found.slice(0, 10);
}
