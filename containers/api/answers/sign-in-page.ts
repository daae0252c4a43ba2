import type { ErrorKind } from '../../../core/index.ts';

/** What is said to somebody whom the company's sign-in led back in vain, in both languages of the console. */
const texts = {
  forbidden: [
    'You are not among those who may use this console, or the sign-in was not granted. Ask whoever runs it.',
    'No está entre quienes pueden usar esta consola, o no se concedió el acceso. Consulte a quien la administra.',
  ],
  unavailable: [
    'The company’s sign-in can’t be reached now. Try again in a moment.',
    'No se puede acceder ahora al inicio de sesión de la empresa. Vuelva a intentarlo en un momento.',
  ],
  unauthenticated: [
    'The sign-in did not succeed: it took too long, or was begun in another browser. Begin again.',
    'No se pudo iniciar la sesión: tardó demasiado o se comenzó en otro navegador. Vuelva a empezar.',
  ],
} as const;

/** The page about a sign-in that failed. It holds nothing of the request. */
export function failedSignInPage(kind: ErrorKind): string {
  const [english, spanish] = texts[kind as keyof typeof texts] ?? texts.unavailable;
  return (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Qurable</title>' +
    '<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"></head><body>' +
    `<h1>Qurable</h1><p>${english}</p><p lang="es">${spanish}</p>` +
    '<p><a href="/console/">Console · <span lang="es">Consola</span></a></p></body></html>'
  );
}
