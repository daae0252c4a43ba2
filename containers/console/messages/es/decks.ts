import { countInSpanish as count, type Translation } from '../../language/plurals.ts';
import type { decks as english } from '../en/decks.ts';

/** Los códigos de un talonario: sus listas y cómo llegan más. */
export const decks = {
  listTitle: 'Lo que hay en el talonario',
  kind: 'Códigos',
  kinds: { generated: 'Generados', uploaded: 'De un archivo' },
  addedAt: 'Añadidos',
  size: 'En total',
  dealt: 'Entregados alguna vez',
  left: 'Quedan',
  voided: 'Anulados sin entregar',
  voiding: 'Anulación',
  madeVoid: 'Anulación',
  publicStock: (code) =>
    `Aquí no hay que poner nada: quien trae ${code} recibe un cupón con un código propio, y estos no se acaban. Para detenerlo, pausa o cierra el talonario.`,
  publicDeals: (code) =>
    `Quien trae ${code} recibe uno de estos códigos. Cuando no quede ninguno, nadie más recibe un cupón.`,
  empty: 'Todavía no hay códigos',
  emptyHint: 'Deja que se generen, o trae un archivo con los tuyos. Hasta entonces nadie puede recibir uno.',
  generateTitle: 'Generar códigos',
  generateIntro: 'Los que quieras, al momento. No se repiten y nadie puede adivinar el siguiente.',
  count: { label: 'Cuántos', help: 'De uno a diez mil millones.' },
  pattern: {
    label: 'Cómo se ve un código',
    help: 'Cada # se convierte en una letra o una cifra; lo demás queda igual. Seis # bastan para cien códigos, ocho para cien mil.',
  },
  digitsOnly: { label: 'Solo cifras', help: 'Más fáciles de decir por teléfono, y de adivinar: pon algunos # más.' },
  allowGuessable: {
    label: 'También si acertar es más probable que uno en un millón',
    help: 'Solo para códigos que valen poco.',
  },
  generate: 'Generar',
  generating: 'Generando…',
  generated: (n, example, odds) =>
    `${count(n, { one: 'código está', many: 'de códigos están', other: 'códigos están' })} en el talonario, con el aspecto de ${example}. Acierta uno de cada ${odds} intentos.`,
  uploadTitle: 'Traer códigos de un archivo',
  uploadIntro: 'Una hoja de cálculo guardada como CSV, o un texto con un código por línea.',
  uploadLabel: 'Archivo con códigos',
  uploadHelp:
    'Los códigos están en la columna llamada «code», o uno por línea. Un código tiene de 4 a 64 letras de la A a la Z (sin tilde ni ñ), cifras, guiones y guiones bajos. Las filas sin un código así quedan fuera, y recibes la lista.',
  spreadsheet: 'Este es un archivo propio de un programa de hojas de cálculo. Guárdalo allí como CSV y trae ese.',
  notChosen: 'Elige primero un archivo.',
  header: 'La primera línea',
  headers: { auto: 'Según el archivo', present: 'Es un título', none: 'Es un código' },
  upload: 'Enviar el archivo',
  cancelUpload: 'Dejar de enviar',
  stopped: 'Detenido. Si el archivo llegó a aceptarse, aparece en la lista de arriba.',
  uploaded: (n) =>
    `${count(n, { one: 'código está', many: 'de códigos están', other: 'códigos están' })} ahora en el talonario.`,
  nothingTaken: 'No se añadió ningún código.',
  rejected: (n, duplicates) =>
    `${count(n, { one: 'fila no se aceptó', many: 'de filas no se aceptaron', other: 'filas no se aceptaron' })}${duplicates === null ? '' : `; ${duplicates} de ellas porque el código está dos veces en el archivo o ya estaba antes`}.`,
  rejectionsTitle: 'Filas que no se aceptaron',
  rejectionsShown: (n) =>
    count(n, { one: 'fila, la primera', many: 'de filas, las primeras', other: 'filas, las primeras' }),
  line: 'Línea',
  code: 'Lo que decía',
  reason: 'Por qué',
  downloadRejections: 'Descargarlas como hoja de cálculo',
  unreadable:
    'Tiene un carácter que no se puede leer. Guarda el archivo como «CSV\u00A0UTF\u20118» y envíalo otra vez.',
  reasons: {
    'broken-line': 'La línea no se puede leer o no tiene código.',
    'line-too-long': 'La línea es demasiado larga.',
    heading: 'Así se llama una columna de códigos; no es un código.',
    'wrong-column-count': 'La línea tiene más columnas que el título, o menos.',
    'code-too-short': 'Tiene menos de 4 caracteres.',
    'code-too-long': 'Tiene más de 64 caracteres.',
    'code-has-invalid-character': 'Tiene un carácter que no es letra de la A a la Z, cifra, guion ni guion bajo.',
    'belongs-to-pattern': 'Un código generado podría ser igual.',
    'duplicate-in-file': 'Está dos veces en el archivo.',
    'duplicate-in-book': 'Ya está en este talonario.',
    'duplicate-in-another-book': 'Ya está en otro talonario.',
  },
  voidTitle: 'Anular los códigos que quedan',
  voidAction: 'Anularlos',
  voidButton: 'Anular lo que queda…',
  voidButtonOf: (what) => `Anular lo que queda de: ${what}`,
  voidText: (n) =>
    `${count(n, { one: 'código que nadie tiene queda anulado', many: 'de códigos que nadie tiene quedan anulados', other: 'códigos que nadie tiene quedan anulados' })} de inmediato y para siempre. Hazlo cuando se hayan filtrado códigos.`,
  voidKept: 'Los cupones que ya tienen los usuarios quedan como están.',
  voidReason: { label: 'Motivo', help: 'Se muestra en esta lista y en cada código que queda anulado.' },
  voidedNow: (n) =>
    `${count(n, { one: 'código quedó anulado', many: 'de códigos quedaron anulados', other: 'códigos quedaron anulados' })}.`,
  deckName: (kind, called, moment) => (called === null ? `${kind}, ${moment}` : `${kind}, ${called}, ${moment}`),
} satisfies Translation<typeof english>;
