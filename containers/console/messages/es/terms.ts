import type { Translation } from '../../language/plurals.ts';
import type { terms as english } from '../en/terms.ts';

/** Las reglas de un talonario, cada una con lo que significa para quienes reciben sus cupones. */
export const terms = {
  groups: {
    basics: 'El talonario',
    time: 'Vigencia',
    limits: 'Límites',
    locks: 'Al pagar',
  },
  name: { label: 'Nombre', help: 'Solo lo ve tu equipo.' },
  description: { label: 'Notas', help: 'Para tu equipo: para qué es la campaña y quién la pidió.' },
  publicCode: {
    label: 'Código público',
    help: 'Un código para todos, como VERANO20: quien lo trae recibe un cupón propio, uno por usuario. Solo se puede cambiar mientras el talonario es un borrador, y no necesita códigos: se hacen para él.',
  },
  timeZone: {
    label: 'Zona horaria',
    help: 'Los días y las horas de este talonario son los de esa zona. Cambiarla no mueve las horas ya fijadas.',
  },
  here: (moment) => `En tu hora local: ${moment}.`,
  startsAt: {
    label: 'Empieza',
    help: 'A partir de ese momento se pueden usar los cupones; entregarlos se puede antes. Vacío: de inmediato.',
  },
  endsAt: {
    label: 'Termina',
    help: 'A partir de ese momento no se entrega ni se usa nada. Vacío: termina cuando lo cierres.',
  },
  endPast: 'Ese momento ya pasó: nadie puede recibir un código ni canjearlo.',
  endNotAfterStart: 'El final tiene que ser posterior al inicio.',
  maxCodesPerUser: {
    label: 'Códigos por usuario',
    help: 'Cuántos cupones puede tener un usuario, contando los ya usados. Vacío: sin límite.',
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
    help: 'Alcanzado este número de canjes no se canjea nada más, aunque queden códigos. Vacío: sin límite.',
  },
  validForDays: {
    label: 'Días para usar un cupón',
    help: 'Un cupón vence al final del día, esta cantidad de días después de entregado. Vacío: vence con el talonario.',
  },
  lockTtlSeconds: {
    label: 'Una reserva dura (segundos)',
    help: 'Una caja puede reservar un cupón mientras su cliente paga. Pasado este tiempo la reserva termina sola.',
  },
  requireLock: {
    label: 'Solo con reserva',
    help: 'Cada caja debe entonces reservar el cupón antes de canjearlo, para que dos no usen el mismo a la vez.',
  },
  selfService: {
    label: 'Los clientes pueden tomar un código',
    help: 'Tu aplicación puede entonces dar un código a un cliente identificado, sin que intervenga tu equipo.',
  },
} satisfies Translation<typeof english>;
