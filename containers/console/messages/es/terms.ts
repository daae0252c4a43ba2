import type { Translation } from '../../language/plurals.ts';
import type { terms as english } from '../en/terms.ts';

/** Las reglas de un talonario, cada una con lo que significa para quienes reciben sus cupones. */
export const terms = {
  groups: {
    basics: 'El talonario',
    time: 'Cuándo vale',
    limits: 'Cuánto hay',
    locks: 'En la caja',
  },
  name: { label: 'Nombre', help: 'Solo lo ve tu equipo.' },
  description: { label: 'Notas', help: 'Para tu equipo: para qué es la campaña y quién la pidió.' },
  publicCode: {
    label: 'Código público',
    help: 'Un código para todos, como VERANO20: quien lo trae recibe un cupón propio, uno por usuario. Se puede cambiar mientras el talonario es un borrador, y no necesita códigos: se hacen para él.',
  },
  timeZone: {
    label: 'Zona horaria',
    help: 'Los días y las horas de este talonario son los de los relojes de allí. Cambiarla no mueve ninguna hora fijada.',
  },
  startsAt: {
    label: 'Empieza',
    help: 'Desde entonces se pueden usar los cupones. Se pueden entregar antes. Vacío: en seguida.',
  },
  endsAt: {
    label: 'Termina',
    help: 'Desde entonces no se entrega ni se usa nada. Vacío: termina cuando lo cierres.',
  },
  maxCodesPerUser: {
    label: 'Códigos por usuario',
    help: 'Cuántos cupones puede tener un usuario, con los ya usados. Vacío: sin límite.',
  },
  maxRedemptionsPerCode: {
    label: 'Usos de un código',
    help: 'Cuántas veces se puede canjear cada cupón. Un cambio vale para los que se entreguen después. Vacío: sin límite.',
  },
  maxRedemptionsPerUser: {
    label: 'Usos por usuario',
    help: 'Cuántas veces puede canjear un usuario, con todos sus cupones de este talonario juntos. Vacío: sin límite.',
  },
  maxRedemptions: {
    label: 'Usos en total',
    help: 'Después de tantos canjes el talonario no da más, queden los códigos que queden. Vacío: sin límite.',
  },
  validForDays: {
    label: 'Días para usarlo',
    help: 'Un cupón termina tantos días después de entregado, al final del día. Vacío: con el talonario.',
  },
  lockTtlSeconds: {
    label: 'Un bloqueo dura (segundos)',
    help: 'Una caja puede reservar un cupón mientras su cliente paga. Pasado este tiempo la reserva termina sola.',
  },
  requireLock: {
    label: 'Solo con bloqueo',
    help: 'Canjear exige entonces la llave de un bloqueo, para que dos cajas no usen un cupón a la vez.',
  },
  selfService: {
    label: 'Los clientes pueden tomar un código',
    help: 'Tu aplicación puede entonces dar un código a un cliente identificado sin preguntar a tu servidor.',
  },
} satisfies Translation<typeof english>;
