import type { Translation } from '../../language/plurals.ts';
import type { demo as english } from '../en/demo.ts';

/** El primer arranque: un talonario para mirar, que se quita con un clic. */
export const demo = {
  make: 'Crear un talonario de prueba',
  making: 'Creándolo…',
  name: 'Prueba: campaña de verano',
  description: 'Un talonario para mirar. Nada de él llega a un cliente.',
  noteTitle: 'Este es un talonario de prueba',
  note: 'Tiene mil códigos y es un borrador, así que nadie puede recibir uno. Mira sus códigos y sus reglas, cambia lo que quieras y quítalo cuando hayas visto bastante.',
  next: [
    'Códigos: genera algunos más, o trae un archivo con los tuyos.',
    'Reglas: cambia una y mira qué significaría según la consola.',
    'Copia un código de la descarga y escríbelo en el campo de arriba.',
  ].join('\n'),
  remove: 'Quitar…',
  removeTitle: 'Quitar este talonario',
  removeText:
    'El talonario y sus códigos desaparecen para siempre. Es un borrador del que nadie recibió nunca un código.',
  removeAction: 'Quitarlo',
  removed: 'El talonario se quitó.',
} satisfies Translation<typeof english>;
