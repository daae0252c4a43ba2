import { countInSpanish as count, type Translation } from '../../language/plurals.ts';
import type { overview as english } from '../en/overview.ts';

/** La primera página. */
export const overview = {
  title: 'Resumen',
  newBook: 'Nuevo talonario',
  filterLabel: 'Mostrar',
  filters: { active: 'Activos', draft: 'Borradores', paused: 'En pausa', closed: 'Cerrados', all: 'Todos' },
  findLabel: 'Buscar un talonario por su nombre',
  findHint: 'Parte de un nombre',
  attention: 'Requiere atención',
  attentionOf: (n) =>
    `Se miraron ${count(n, {
      one: 'talonario activo, el más nuevo',
      many: 'de talonarios activos, los más nuevos',
      other: 'talonarios activos, los más nuevos',
    })}.`,
  attentionMore: (n) => `Y ${count(n, { one: 'más', many: 'más', other: 'más' })}.`,
  webhook: (url) => `Webhook ${url}`,
  failing: (moment) => `No le llega nada desde el ${moment}.`,
  jobFailed: (distance) => `Este trabajo falló ${distance}.`,
  allWell: 'Todo está bien: ningún talonario activo se agota ni termina pronto, y nada ha fallado.',
  exhausted: 'No quedan códigos: nadie más puede recibir uno.',
  runningOut: (left, share) =>
    `${left === 1 ? 'Queda' : 'Quedan'} ${count(left, { one: 'código', many: 'de códigos', other: 'códigos' })}, el ${share} del total.`,
  ending: (distance, moment) => `Termina ${distance}: el ${moment}.`,
  ended: (moment) => `Terminó el ${moment} y sigue activo: ciérralo o extiende su final.`,
  noCodes: 'Está activo y todavía no tiene códigos.',
  books: 'Talonarios',
  available: 'Quedan',
  publicCode: 'Código público',
  assigned: 'Entregados',
  redemptions: 'Canjeados',
  givenShare: (share) => `${share} entregado`,
  goneShare: (share) => `${share} entregado o anulado`,
  noneYet: 'todavía sin códigos',
  endsOn: (moment) => `termina el ${moment}`,
  endedOn: (moment) => `terminó el ${moment}`,
  openEnd: 'sin fecha de fin',
  emptyTitle: 'Tu primer talonario',
  empty:
    'Un talonario es una campaña: sus reglas, sus códigos y todo lo que pasa con ellos. Crea uno, ponle códigos y entrégalos.',
  emptySteps: [
    'Crea un talonario y di cuándo vale y cuántas veces se puede usar un código.',
    'Ponle códigos: deja que se generen, o trae una hoja de cálculo.',
    'Entrégalos por la API o desde una lista de usuarios, y obsérvalo aquí.',
  ].join('\n'),
  noneFound: 'Ningún talonario coincide',
  noneFoundHint: 'Elige otro filtro, o busca otra parte del nombre.',
  newTitle: 'Nuevo talonario',
  create: 'Crear el talonario',
  creating: 'Creándolo…',
  created: (name) => `El talonario «${name}» está listo.`,
  createActive: 'Activo desde el principio',
  createActiveHelp: 'Si no, es un borrador, que activas cuando todo esté preparado.',
} satisfies Translation<typeof english>;
