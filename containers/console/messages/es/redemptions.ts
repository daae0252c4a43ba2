import type { Translation } from '../../language/plurals.ts';
import type { redemptions as english } from '../en/redemptions.ts';

/** La lista de canjes, y su exportación. */
export const redemptions = {
  title: 'Canjes',
  intro: 'Cada canje de un código, los últimos primero; también los devueltos.',
  empty: 'Aquí no hay canjes',
  emptyHint: 'Ningún canje cumple estos filtros. Prueba con menos, o con más tiempo.',
  emptyAtAll: 'Cada uso de un código aparece aquí cuando ocurre.',
  filters: 'Filtros',
  book: 'Talonario',
  anyBook: 'Todos los talonarios',
  user: 'Usuario',
  code: 'Código',
  reference: 'Referencia',
  from: 'Desde',
  to: 'Hasta',
  apply: 'Mostrar',
  clear: 'Quitar filtros',
  at: 'Cuándo',
  givenBack: 'Devuelto',
  export: 'Exportar como CSV',
  no: 'Uso n.º',
} satisfies Translation<typeof english>;
