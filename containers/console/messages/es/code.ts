import type { Translation } from '../../language/plurals.ts';
import type { code as english } from '../en/code.ts';

/** Encontrar un código o un usuario. */
export const code = {
  findTitle: 'Buscar un código o un usuario',
  neither: (text) => `«${text}» no es un código tuyo.`,
  asUser: 'Verlo como id de usuario',
  hint: 'Los guiones, los espacios y las minúsculas no importan. Copia el código de donde lo tiene el cliente.',
} satisfies Translation<typeof english>;
