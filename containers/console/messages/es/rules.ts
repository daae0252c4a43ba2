import { countInSpanish as count, type Translation } from '../../language/plurals.ts';
import type { rules as english } from '../en/rules.ts';

/** Cambiar un talonario. */
export const rules = {
  save: 'Ver los cambios…',
  nothingChanged: 'Todavía no hay cambios.',
  previewTitle: 'Lo que cambia',
  apply: 'Cambiar el talonario',
  changed: 'El talonario cambió.',
  fromTo: (label, before, after) => `${label}: ${before}\u00A0→ ${after}`,
  noLimit: 'sin límite',
  status: 'Estado',
  notSet: 'sin fijar',
  untilBookEnds: 'hasta que termine el talonario',
  atOnce: 'de inmediato',
  readOnly: 'Solo quien administra puede cambiar un talonario.',
  closedNote: 'Este talonario está cerrado. Sus reglas son las que tenía al final.',
  conflictTitle: 'Mientras tanto, otra persona cambió este talonario',
  conflictIntro: 'Esto es lo que cambió:',
  conflictKept: 'Lo que escribiste sigue aquí.',
  conflictAgain: 'Si todavía quieres hacerlo, pulsa el botón otra vez.',
  conflictNothing: 'Sus reglas son las mismas; cambió otra cosa.',
  conflictGoOn: 'Aplicar también lo mío',
  meaning: {
    name: 'Para los usuarios no cambia nada.',
    publicCode: 'Quien traiga este código recibe un cupón propio, una vez activo el talonario.',
    timeZone:
      'Ninguna hora fijada se mueve. Para los cupones que se entreguen desde ahora, los días se cuentan en la zona nueva.',
    startsAt: 'Vale para todos los cupones, también los ya entregados.',
    endsAt:
      'Vale para todos los cupones, también los ya entregados. Los que terminan antes por sus propios días conservan ese final.',
    endsAtPast: 'Ese momento ya pasó: desde ahora no se puede entregar ni usar nada.',
    maxCodesPerUserRaised: 'Los usuarios que habían llegado al límite pueden recibir más desde ahora.',
    maxCodesPerUser: 'Los usuarios que tienen más conservan lo que tienen, y no reciben más.',
    maxRedemptionsPerCode: (out) =>
      `Para los cupones que se entreguen desde ahora. ${count(out, { one: 'cupón ya entregado conserva lo suyo', many: 'de cupones ya entregados conservan lo suyo', other: 'cupones ya entregados conservan lo suyo' })}.`,
    maxRedemptionsPerUser: 'Cuenta lo que cada usuario canjeó hasta ahora.',
    maxRedemptions: (used, left) =>
      `${count(used, { one: 'canje', many: 'de canjes', other: 'canjes' })} hasta ahora: ${count(left, { one: 'más es posible', many: 'de canjes más son posibles', other: 'más son posibles' })}.`,
    maxRedemptionsReached: (used) =>
      `Ya hay ${count(used, { one: 'canje', many: 'de canjes', other: 'canjes' })}: ninguno más es posible.`,
    maxRedemptionsOpen: 'Entonces el talonario entero no tiene límite.',
    validForDays: 'Para los cupones que se entreguen desde ahora. Los ya entregados conservan su propio final.',
    lockTtlSeconds: 'Para las reservas que se hagan desde ahora sin un tiempo propio.',
    requireLockOn: 'Desde ahora se rechaza a las cajas que canjean sin reserva.',
    requireLockOff: 'Desde ahora las cajas pueden canjear sin reserva.',
    selfServiceOn: 'Desde ahora los clientes pueden tomar un código por sí mismos.',
    selfServiceOff: 'Los clientes ya no pueden tomar un código por sí mismos. Lo que tienen queda.',
  },
  activate: 'Activar',
  activateTitle: 'Activar este talonario',
  activateText: (codes) =>
    `Desde ahora se pueden entregar ${count(codes, { one: 'código', many: 'de códigos', other: 'códigos' })}, y usar dentro de su vigencia.`,
  activatePublic: (code) =>
    `Desde ahora, quien traiga ${code} recibe un cupón propio, dentro de la vigencia del talonario.`,
  endedText: (moment, place) =>
    `Su final ya pasó: ${moment} (${place}). Nadie puede recibir un código ni canjearlo hasta que muevas el final.`,
  pause: 'Pausar',
  pauseTitle: 'Pausar este talonario',
  pauseText:
    'Desde este momento no se puede entregar, reservar ni usar nada. Los usuarios conservan lo que tienen, y puedes reanudar cuando quieras.',
  resume: 'Reanudar',
  resumeTitle: 'Reanudar este talonario',
  resumeText: 'Se vuelven a entregar y usar cupones, dentro de la vigencia del talonario.',
  close: 'Cerrar',
  closeAction: 'Cerrar para siempre',
  closeButton: 'Cerrar…',
  closeTitle: 'Cerrar este talonario para siempre',
  closeText: (left) =>
    `Ya no se podrá entregar lo que queda: ${count(left, { one: 'código', many: 'de códigos', other: 'códigos' })}.`,
  closePublic: (code) => `Nadie más recibe un cupón por ${code}.`,
  closeOut: (out) =>
    `${count(out, { one: 'cupón está entregado', many: 'de cupones están entregados', other: 'cupones están entregados' })}: lo que aún no se haya usado ya no se podrá usar.`,
  closeFinal: 'Un talonario cerrado no se vuelve a abrir.',
  extend: 'Extender…',
  extendAction: 'Mover el final',
  extendTitle: 'Extender el final',
  extendLabel: 'Nuevo final',
  shortens: 'Es antes del final que está puesto ahora: los cupones ya entregados también terminan antes.',
  extendText: 'Vale también para los cupones ya entregados.',
  statusChanged: {
    active: 'El talonario está activo.',
    paused: 'El talonario está en pausa.',
    closed: 'El talonario está cerrado.',
  },
} satisfies Translation<typeof english>;
