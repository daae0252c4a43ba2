import { countInSpanish as count, type Translation } from '../../language/plurals.ts';
import type { jobs as english } from '../en/jobs.ts';

/** Trabajo en segundo plano. */
export const jobs = {
  title: 'Trabajos',
  intro:
    'Las tareas largas siguen solas aunque cierres esta página, y cada fila se procesa una sola vez. El resultado se guarda siete días.',
  empty: 'Todavía no hay trabajos',
  emptyHint:
    'Empieza uno aquí: entregar códigos a los usuarios de un archivo, anular los códigos de un archivo o exportar una lista larga.',
  kind: 'Qué',
  kinds: {
    assign: 'Entregar códigos',
    void: 'Anular códigos',
    'export-codes': 'Lista de códigos',
    'export-redemptions': 'Lista de canjes',
  },
  book: 'Talonario',
  theBook: 'Su talonario',
  chooseBook: 'Elige un talonario',
  anyBook: 'Todos los talonarios',
  status: 'Estado',
  statuses: { queued: 'En espera', running: 'En curso', done: 'Hecho', failed: 'Falló', cancelled: 'Cancelado' },
  allRefused: 'Todo rechazado',
  givesNothing: {
    draft: 'Este talonario es un borrador y no entrega códigos: actívalo antes, o se rechazará cada fila.',
    paused: 'Este talonario está en pausa y no entrega códigos: reanúdalo antes, o se rechazará cada fila.',
    closed: 'Este talonario está cerrado para siempre: se rechazará cada fila.',
    ended: 'Este talonario ha terminado y no entrega códigos: mueve antes su final, o se rechazará cada fila.',
  },
  progress: 'Avance',
  soFar: (done) => `${done} hasta ahora`,
  rows: (n) => count(n, { one: 'fila', many: 'de filas', other: 'filas' }),
  of: (done, total) => `${done}\u00A0de\u00A0${total}`,
  partly: (done, left) => `Hechas: ${done}; sin empezar: ${left}`,
  unwritten: (rows) => `Sin archivo: se detuvo tras ${count(rows, { one: 'fila', many: 'de filas', other: 'filas' })}.`,
  refused: 'Rechazadas',
  startedAt: 'Empezó',
  took: 'Tardó',
  actions: 'Acciones',
  result: 'Descargar',
  resultOf: (name) => `Descargar el resultado de: ${name}`,
  again: 'Hacer el resto…',
  againOf: (name) => `Hacer el resto de: ${name}`,
  startAgain: 'Repetir…',
  startAgainOf: (name) => `Repetir: ${name}`,
  restChosen:
    'El archivo de abajo tiene las filas de ese trabajo que no se hicieron. Mira primero por qué se rechazaron y corrígelo: si no, se rechazarán otra vez.',
  serverSays: 'El servidor dice:',
  restBrought:
    'Lo que dejó ese trabajo ya se envió antes, y no se hizo nada otra vez. El trabajo que lo hizo está en la lista.',
  restNone: 'No queda ninguna fila de ese trabajo que se pueda hacer. Descarga su resultado para ver por qué.',
  restReason: {
    label: 'Motivo',
    help: 'Lo que deja un trabajo ya no tiene los motivos. Este se guarda en la historia de cada uno de estos códigos.',
  },
  restExport:
    'La lista se escribe desde el principio, porque lo que escribió ese trabajo no se guarda; y entera, aunque ese trabajo fuera de una parte.',
  cancel: 'Cancelar…',
  cancelOf: (name) => `Cancelar: ${name}`,
  cancelTitle: '¿Cancelar este trabajo?',
  cancelText: (name, done) =>
    `${name}: ${count(done, { one: 'fila está hecha y así queda', many: 'de filas están hechas y así quedan', other: 'filas están hechas y así quedan' })}. No se hace nada más.`,
  cancelNow: 'Cancelar el trabajo',
  cancelled: 'El trabajo está cancelado.',
  newTitle: 'Empezar un trabajo',
  files: {
    assign: {
      label: 'Archivo de usuarios',
      help: 'Una hoja de cálculo guardada como CSV, con una columna «userId». Una columna «count» puede decir cuántos códigos recibe cada uno; si no, uno.',
    },
    void: {
      label: 'Archivo de códigos',
      help: 'Una hoja de cálculo guardada como CSV, con una columna «code». Una columna «reason» puede decir por qué.',
    },
  },
  voidConfirm: 'Sé que estos códigos no podrán usarse nunca más',
  voidUnconfirmed: 'Confírmalo primero, por favor.',
  notChosen: 'Elige primero un archivo.',
  bookMissing: 'Elige primero un talonario.',
  stopped: 'Detenido. La lista de esta página muestra si el trabajo empezó.',
  starts: {
    assign: 'Entregar los códigos',
    void: 'Anularlos',
    'export-codes': 'Exportar la lista',
    'export-redemptions': 'Exportar la lista',
  },
  startedFor: {
    assign: (n) =>
      `Empezó: ${count(n, { one: 'código por entregar', many: 'de códigos por entregar', other: 'códigos por entregar' })}.`,
    void: (n) => `Empezó: ${count(n, { one: 'fila', many: 'de filas', other: 'filas' })}.`,
  },
  exportStarted: 'Empezó. La lista se podrá descargar aquí cuando esté escrita.',
  byFile: 'Muchos a la vez, desde un archivo',
  byFileHint:
    'Una hoja de cálculo con usuarios, cada uno de los cuales recibe un código, o con códigos sueltos que se filtraron. El trabajo sigue por sí solo, y después lees qué pasó con cada fila.',
  goAssign: 'Entregar códigos a los usuarios de un archivo',
  goVoid: 'Anular los códigos de un archivo',
} satisfies Translation<typeof english>;
