import type { Page } from 'playwright-core';

/**
 * Finds what does not keep its place on a page: a page that is scrolled sideways (WCAG 1.4.10), text that leaves the
 * screen or the boxes that it is in, texts that lie on one another, choices that are cut, lists with buttons that
 * are wider than a laptop, and numbers that do not stand on a line. A table may be wider than the screen, as it is
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
      // On a narrow screen the rows of a list are to be seen whole, and the titles of columns stand in them.
      const isStacked = clientWidth <= 480 && owner.closest('.rows') !== null;
      if (isStacked && owner.closest('thead') !== null) continue;
      const scrolled = owner.closest(isStacked ? 'dialog' : '.table-scroll, dialog');
      const within: DOMRect[] = [];
      // A box within a box may leave it: all are looked at, as far as what is scrolled by itself.
      for (let at: Element | null = owner; at !== null && at !== scrolled; at = at.parentElement)
        if (at.matches(`${boxes}, ${cells}`)) within.push(at.getBoundingClientRect());
      const isCut = getComputedStyle(owner).textOverflow === 'ellipsis';
      for (const rect of range.getClientRects()) {
        if (rect.width === 0 || isCut) continue;
        const shown = words.slice(0, 40);
        if (scrolled === null && (rect.right > clientWidth + slack || rect.left < -slack))
          faults.push(`“${shown}” leaves the screen: ${Math.round(rect.left)} to ${Math.round(rect.right)}`);
        const left = within.find((box) => rect.right > box.right + slack || rect.left < box.left - slack);
        if (left !== undefined)
          faults.push(`“${shown}” leaves its box: ${Math.round(rect.right)} beyond ${Math.round(left.right)}`);
        seen.push({ words: shown, owner, rect });
      }
    }
    faults.push(...cutChoices(), ...wideLists(), ...wideBadges(), ...unevenFigures());
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

    /** The chosen words of a list of choices that need more room than it has, be it in lines or in a word's width. */
    function cutChoices(): string[] {
      return [...document.querySelectorAll<HTMLSelectElement>('select')].flatMap((select) => {
        const words = select.selectedOptions[0]?.textContent ?? '';
        const style = getComputedStyle(select);
        const probe = document.createElement('span');
        const wraps = style.whiteSpace === 'normal' && style.appearance === 'none';
        const [left, right] = [style.paddingLeft, style.paddingRight].map(Number.parseFloat) as [number, number];
        const room = select.clientWidth - left - right - (wraps ? 0 : 20);
        probe.style.cssText = `position:absolute;visibility:hidden;font:${style.font};${
          wraps ? `width:${room}px;overflow-wrap:anywhere` : 'white-space:nowrap'
        }`;
        probe.textContent = words;
        document.body.append(probe);
        const { width, height } = probe.getBoundingClientRect();
        probe.remove();
        const isCut = width > room + slack || height > select.clientHeight;
        return select.checkVisibility() && isCut ? [`“${words}” is cut in its list of choices`] : [];
      });
    }

    /** The words of a badge may be in its cell while its edge is not. */
    function wideBadges(): string[] {
      return [...document.querySelectorAll('td .badge')].flatMap((badge) => {
        const isOut = badge.getBoundingClientRect().right > badge.closest('td')!.getBoundingClientRect().right + slack;
        return isOut ? [`the badge “${badge.textContent}” leaves its cell`] : [];
      });
    }

    /** A list is seen whole where its rows are stacked; and on a laptop where its rows have buttons, at their end. */
    function wideLists(): string[] {
      return [...document.querySelectorAll('.table-scroll')].flatMap((list) => {
        const isStacked = clientWidth <= 480 && list.querySelector('.rows') !== null;
        const hasButtons = clientWidth >= 1_000 && list.querySelector('td .button') !== null;
        const isWide = list.scrollWidth > list.clientWidth + slack;
        return (isStacked || hasButtons) && isWide
          ? [`a list is ${list.scrollWidth} pixels wide where ${list.clientWidth} are seen`]
          : [];
      });
    }

    /** Numbers in boxes beside one another, which are read as one line. */
    function unevenFigures(): string[] {
      const numbers = [...document.querySelectorAll('.figures-large > div:not(.figure-text)')].map((figure) => ({
        top: figure.getBoundingClientRect().top,
        number: figure.querySelector('dd')!.getBoundingClientRect().top,
        words: figure.textContent,
      }));
      return numbers.flatMap((one) => {
        const isUneven = numbers.some(({ top, number }) => top === one.top && number < one.number - slack);
        return isUneven ? [`“${one.words}” stands lower than what is beside it`] : [];
      });
    }
  });
}
