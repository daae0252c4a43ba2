import type { Translation } from '../../language/plurals.ts';
import type { report as english } from '../en/report.ts';

/** Lo que pasó en un talonario, por hora o por día. */
export const report = {
  title: 'Actividad',
  step: 'Por',
  steps: { hour: 'Hora', day: 'Día' },
  stepTitles: { hour: 'Hora desde', day: 'Día' },
  span: 'Periodo',
  caption: (assigned, redeemed, from, zone) =>
    `Entregados: ${assigned}; canjeados: ${redeemed}, desde el ${from}. Horas de ${zone}.`,
  assigned: 'Entregados',
  locked: 'Reservados',
  redeemed: 'Canjeados',
  reversed: 'Devueltos',
  voided: 'Anulados',
  settled: (moment) => `Datos hasta el ${moment}.`,
  nothing: 'En este periodo no hubo actividad.',
  spark: (redeemed) => `Canjeados en las últimas 24 horas: ${redeemed}`,
} satisfies Translation<typeof english>;
