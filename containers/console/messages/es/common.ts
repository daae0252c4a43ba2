import { countInSpanish as count, type Translation } from '../../language/plurals.ts';
import type { common as english } from '../en/common.ts';

/** Palabras que comparten varias páginas. */
export const common = {
  loading: 'Cargando…',
  loadMore: 'Mostrar más',
  nothingSoFar: 'Por ahora no hay nada que coincida. Queda más por revisar.',
  lookFurther: 'Seguir buscando',
  timesOf: (zone) => `Horas de ${zone}.`,
  tryAgain: 'Intentar de nuevo',
  cancel: 'Cancelar',
  optional: 'opcional',
  yes: 'Sí',
  no: 'No',
  copy: 'Copiar',
  copied: 'Copiado.',
  done: 'Listo',
  viewerTime: (moment) => `${moment} en tu hora local`,
  momentInWords: (moment, place) => `${moment} en ${place}.`,
  inZone: (moment, zone) => `${moment} (${zone})`,
  typeToConfirm: (text) => `Escribe «${text}» para confirmar`,
  typedOtherwise: 'Todavía no es el mismo texto.',
  codes: (n) => count(n, { one: 'código', many: 'de códigos', other: 'códigos' }),
  days: (n) => count(n, { one: 'día', many: 'de días', other: 'días' }),
  asTable: 'Lo mismo en una tabla',
  dropHere: 'Suelta un archivo aquí, o elige uno',
  chooseFile: 'Elegir un archivo',
  chosenFile: (name, size) => `${name}, ${size}`,
  uploading: (share) => `Enviando: ${share}`,
  working: 'Enviado. El servidor está trabajando…',
  listOf: (title) => `Lista: ${title}`,
  status: { draft: 'Borrador', active: 'Activo', paused: 'En pausa', closed: 'Cerrado' },
} satisfies Translation<typeof english>;
