import type { Translation } from '../../language/plurals.ts';
import type { keys as english } from '../en/keys.ts';

/** Claves de API. */
export const keys = {
  title: 'Claves de API',
  intro:
    'Cada programa, y cada persona que entra con una clave, tiene la suya. Una clave revocada deja de valer en cinco segundos, y sus sesiones también.',
  empty: 'Todavía no hay claves',
  emptyHint: 'Haz una para cada programa: así es fácil revocar una sola.',
  name: { label: 'Nombre', help: 'Quién o qué la usa, por ejemplo «Tienda».' },
  role: {
    label: 'Rol',
    help: 'Canje: busca y canjea códigos. Operación: además los crea, entrega y anula. Administración: todo.',
  },
  expiresAt: { label: 'Vence el', help: 'Al final de ese día, en tu hora local. Vacío: no vence.' },
  make: 'Crear una clave',
  newTitle: 'Crear una clave',
  madeTitle: 'Esta es la clave',
  madeText: 'Cópiala ahora: se muestra solo esta vez, y nadie puede mostrarla de nuevo.',
  done: 'Ya la copié',
  createdAt: 'Creada',
  state: 'Estado',
  ends: 'Vence',
  live: 'Válida',
  ended: 'Vencida',
  actions: 'Acciones',
  revoke: 'Revocar',
  revokeOf: (name) => `Revocar ${name}`,
  revokeTitle: '¿Revocar esta clave?',
  revokeText: 'Todo lo que la use será rechazado en unos segundos. No se puede deshacer; se puede crear otra clave.',
  revokedNow: 'La clave está revocada.',
} satisfies Translation<typeof english>;
