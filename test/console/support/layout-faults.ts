import type { Page } from 'playwright-core';

/**
 * Finds what does not keep its place on a page: a page that is scrolled sideways (WCAG 1.4.10), text that leaves the
 * screen or the box that it is in, and texts that lie on one another. A table may be wider than the screen, as it is
 * scrolled by itself; a list that is stacked on a narrow screen may not.
 */
export async function findLayoutFaults(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const faults: string[] = [];
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth > clientWidth) faults.push(`the page is ${scrollWidth} pixels wide where ${clientWidth} are seen`);

    /** What a text must stay within. */
    const boxes = 'a.button, button, label.button, .badge, .card, .panel, .problem, .outcome, .empty, fieldset, dialog';
    const cells = 'td, th, .figures > div, .menu-sheet, .note, .banner, .attention, .facts';
    const slack = 1.5;

    const openDialog = document.querySelector('dialog[open]');
    const openMenu = document.querySelector('.menu-sheet:not([hidden])');
    const walker = document.createTreeWalker(openDialog ?? document.body, NodeFilter.SHOW_TEXT);
    const seen: { words: string; owner: Element; rect: DOMRect }[] = [];
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      const owner = node.parentElement!;
      const words = node.textContent!.trim();
      if (words === '' || owner.closest('.visually-hidden, .skip, .notes, script, style, option, datalist') !== null)
        continue;
      // What lies below an open menu is covered by it, as it should be.
      if (openMenu !== null && !openMenu.contains(owner)) continue;
      if (!owner.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      const box = owner.closest(`${boxes}, ${cells}`)?.getBoundingClientRect() ?? null;
      // On a narrow screen the rows of a list are to be seen whole, and the titles of columns stand in them.
      const isStacked = clientWidth <= 480 && owner.closest('.rows') !== null;
      if (isStacked && owner.closest('thead') !== null) continue;
      const scrolled = owner.closest(isStacked ? 'dialog' : '.table-scroll, dialog');
      const isCut = getComputedStyle(owner).textOverflow === 'ellipsis';
      for (const rect of range.getClientRects()) {
        if (rect.width === 0 || isCut) continue;
        const shown = words.slice(0, 40);
        if (scrolled === null && (rect.right > clientWidth + slack || rect.left < -slack))
          faults.push(`“${shown}” leaves the screen: ${Math.round(rect.left)} to ${Math.round(rect.right)}`);
        if (box !== null && (rect.right > box.right + slack || rect.left < box.left - slack))
          faults.push(`“${shown}” leaves its box: ${Math.round(rect.right)} beyond ${Math.round(box.right)}`);
        seen.push({ words: shown, owner, rect });
      }
    }
    seen.sort((one, other) => one.rect.top - other.rect.top);
    for (const [at, one] of seen.entries()) {
      for (const other of seen.slice(at + 1)) {
        if (other.rect.top > one.rect.bottom) break;
        const wide = Math.min(one.rect.right, other.rect.right) - Math.max(one.rect.left, other.rect.left);
        const high = Math.min(one.rect.bottom, other.rect.bottom) - Math.max(one.rect.top, other.rect.top);
        // Lines stand close: what touches does not lie on one another.
        const isOver = wide > 3 && high > Math.min(one.rect.height, other.rect.height) * 0.5;
        if (isOver && one.owner !== other.owner) faults.push(`“${one.words}” lies on “${other.words}”`);
      }
    }
    return [...new Set(faults)].slice(0, 20);
  });
}
