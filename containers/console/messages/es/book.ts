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
  from: (moment) => `desde el ${moment}`,
  until: (moment) => `hasta el ${moment}`,
  ended: 'Terminado',
  endedOn: (moment) => `el ${moment}`,
  always: 'sin fecha de inicio ni de fin',
  nextCodes: 'Este talonario todavía no tiene códigos, así que nadie puede recibir uno.',
  goToCodes: 'Ponerle códigos',
  nextActivate: 'Es un borrador: nadie recibe códigos de él. Cuando todo esté listo, pulsa Activar, arriba.',
  nextActivateByAdmin: 'Es un borrador: nadie recibe códigos de él hasta que lo active quien administra.',
  missing: 'No existe ese talonario',
} satisfies Translation<typeof english>;
