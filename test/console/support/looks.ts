/** The widths at which pages are looked at: the narrowest that WCAG asks for, a tablet on its side, and a wall. */
export const widths = [320, 1024, 2560] as const;
/** The languages of the console. */
export const languages = ['en', 'es'] as const;
/** Its colours. */
export const themes = ['light', 'dark'] as const;

/** How a browser looks at the console. */
export interface Look {
  language: (typeof languages)[number];
  theme: (typeof themes)[number];
  width: (typeof widths)[number];
}
