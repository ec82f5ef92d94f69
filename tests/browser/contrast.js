// Texts with too little contrast to their background, by WCAG 2 (AA: 4.5, large text 3), with
// their ratio.
() => {
  const colour = text => {
    const parts = text.match(/[\d.]+/g).map(Number);
    return parts.length < 4 ? [...parts, 1] : parts;
  };
  const over = (top, under) => [0, 1, 2].map(i => top[i] * top[3] + under[i] * (1 - top[3])).concat(1);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * x + .7152 * y + .0722 * z;
  };
  const behind = node => {
    const layers = [];
    for (let n = node; n; n = n.parentElement) {
      layers.push(colour(getComputedStyle(n).backgroundColor));
      if (layers.at(-1)[3] === 1) break;
    }
    return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255, 1]);
  };
  const faded = node => {
    let opacity = 1;
    for (let n = node; n; n = n.parentElement) opacity *= Number(getComputedStyle(n).opacity);
    return opacity;
  };
  // An icon is a word to the program only and always stands beside its text; an ellipsis between page numbers says nothing.
  const passed = '[disabled], [aria-disabled=true], canvas, [inert], [data-testid=stIconMaterial]';
  const poor = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement, text = walker.currentNode.textContent.trim();
    if (!text || text === '…' || node.closest(passed)) continue;
    if (!node.checkVisibility({opacityProperty: true, visibilityProperty: true})) continue;
    const box = node.getBoundingClientRect();
    if (box.width < 2 || box.height < 2) continue;
    const style = getComputedStyle(node), background = behind(node), ink = colour(style.color);
    ink[3] *= faded(node);
    const [brighter, darker] = [light(over(ink, background)), light(background)].sort((x, y) => y - x);
    const ratio = (brighter + .05) / (darker + .05), size = parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (isLarge ? 3 : 4.5)) poor.add(`${ratio.toFixed(2)} ${text.slice(0, 40)}`);
  }
  return [...poor];
}
