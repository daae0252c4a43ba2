import type { Translation } from '../../language/plurals.ts';
import { countInSpanish as count } from '../../language/plurals.ts';
import type { user as english } from '../en/user.ts';

/** Un usuario: cupones, y borrarlo. */
export const user = {
  title: (id) => `Usuario ${id}`,
  coupons: 'Cupones',
  redemptions: 'Lo que este usuario canjeó',
  empty: 'No se conocen cupones de este id',
  emptyHint:
    'Nadie con exactamente este id ha recibido un código. En el id de un usuario importan mayúsculas y minúsculas.',
  emptyInState: 'Ningún cupón está en este estado',
  code: 'Código',
  status: 'Estado',
  used: 'Usado',
  assignedAt: 'Entregado',
  expiresAt: 'Termina',
  filter: 'Mostrar',
  all: 'Todos los estados',
  erase: 'Borrar a este usuario',
  eraseTitle: '¿Borrar los datos de este usuario?',
  eraseText:
    'El id y todo texto sobre esta persona se borran para siempre. Los números y los códigos quedan, sin nombre. Si vuelve el mismo id, es un usuario nuevo.',
  eraseUnknownText:
    'Ahora no se conoce ningún cupón de este id. Puede estar todavía en la historia de un código que pasó a otra persona, o en el archivo de un trabajo: de ahí se borra, para siempre.',
  erased: 'Los datos del usuario se están borrando.',
  notUsedUp: 'Entregado, sin usar del todo',
  uses: (n) => count(n, { one: 'uso', many: 'de usos', other: 'usos' }),
} satisfies Translation<typeof english>;
