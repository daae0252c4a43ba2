import { bePatient } from './be-patient.ts';

/** Loaded before an API's own program, by `patientProcess`. */
bePatient();
