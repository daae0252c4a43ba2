import { countInSpanish as count, type Translation } from '../../language/plurals.ts';
import type { exports as english } from '../en/exports.ts';

/** Listas como archivos: las cortas en el momento, las largas como trabajos. */
export const exports = {
  title: 'Descargar',
  codes: 'Códigos con su estado',
  redemptions: 'Canjes, para finanzas',
  hint: 'En CSV para una hoja de cálculo, completo y al día de este momento. Sus horas son UTC; los canjes tienen al lado las del talonario.',
  utc: 'Las horas del archivo son UTC, con las de cada talonario al lado.',
  lookThrough: 'Ver los canjes uno por uno',
  exporting: (bytes) => `${bytes} hasta ahora…`,
  exported: 'El archivo está listo.',
  stop: 'Detener',
  begun: 'La descarga empezó.',
  writing: 'Se está escribiendo el archivo',
  waits: 'Espera a que termine otro trabajo y después se escribe.',
  soFar: (rows, of) => (of ? `${rows} de unas ${of} filas escritas…` : `${rows} filas escritas hasta ahora…`),
  leave: 'Puedes salir de esta página: el archivo quedará en',
  cancel: 'Cancelar la exportación',
  cancelled: 'La exportación se canceló.',
  failed: 'No se pudo escribir el archivo. Inténtalo otra vez; en Trabajos se explica el motivo.',
  written: (rows) => `El archivo está listo: ${count(rows, { one: 'fila', many: 'de filas', other: 'filas' })}.`,
  again: 'Descargarlo otra vez',
} satisfies Translation<typeof english>;
