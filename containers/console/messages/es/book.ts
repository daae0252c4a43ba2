import type { Translation } from '../../language/plurals.ts';
import type { book as english } from '../en/book.ts';

/** La página de un talonario. */
export const book = {
  title: 'Talonario',
  tabs: 'Partes del talonario',
  numbers: 'Números',
  rules: 'Reglas',
  decks: 'Códigos',
  codesInAll: 'Códigos en total',
  available: 'Quedan',
  assigned: 'Entregados',
  redemptions: 'Canjeados',
  voided: 'Anulados',
  asOf: (moment) => `A las ${moment}`,
  live: 'En vivo',
  window: 'Vale',
  from: (moment) => `desde el ${moment}`,
  until: (moment) => `hasta el ${moment}`,
  always: 'sin principio ni final fijado',
  missing: 'No existe ese talonario',
} satisfies Translation<typeof english>;
