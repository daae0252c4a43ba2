import type { Translation } from '../../language/plurals.ts';
import type { report as english } from '../en/report.ts';

/** Lo que pasó en un talonario, por hora o por día. */
export const report = {
  title: 'Lo que pasó',
  step: 'Por',
  steps: { hour: 'Hora', day: 'Día' },
  stepTitles: { hour: 'Hora desde', day: 'Día' },
  span: 'De los últimos',
  caption: (assigned, redeemed, from, zone) =>
    `Desde el ${from}: ${assigned} entregados, ${redeemed} canjeados. Las horas son las de ${zone}.`,
  assigned: 'Entregados',
  locked: 'Bloqueados',
  redeemed: 'Canjeados',
  reversed: 'Devueltos',
  voided: 'Anulados',
  settled: (moment) => `Contado hasta el ${moment}.`,
  nothing: 'En este tiempo no pasó nada.',
  spark: (redeemed) => `${redeemed} canjeados en las últimas 24 horas`,
} satisfies Translation<typeof english>;
