import type { Translation } from '../../language/plurals.ts';
import type { redemptions as english } from '../en/redemptions.ts';

/** La lista de usos, y su exportación. */
export const redemptions = {
  title: 'Usos',
  intro: 'Cada uso de un código, los últimos primero; también los devueltos.',
  empty: 'Aquí no hay usos',
  emptyHint: 'Ningún uso cumple estos filtros. Prueba con menos, o con más tiempo.',
  filters: 'Filtros',
  book: 'Campaña',
  anyBook: 'Todas las campañas',
  user: 'Usuario',
  code: 'Código',
  reference: 'Referencia',
  from: 'Desde',
  to: 'Hasta',
  apply: 'Mostrar',
  clear: 'Quitar',
  at: 'Cuándo',
  givenBack: 'Devuelto',
  export: 'Exportar como CSV',
  no: 'N.º',
} satisfies Translation<typeof english>;
