import { estimateMonth, type Month } from './estimate-month.ts';
import { findSavings, type Saving } from './find-savings.ts';
import type { CostOptions } from './read-options.ts';
import type { Prices } from './read-prices.ts';
import { type Difference, differencesFrom, loadOf, type Scenario, scenarios, stageOfStrategy } from './strategy.ts';
import type { CostTemplate } from './template.ts';

/** A month under one of the strategy's loads. */
export interface ScenarioMonth {
  scenario: Scenario;
  month: Month;
  /** Empty for a stage that the strategy has no figures of. */
  differences: Difference[];
}

/** Everything that is printed. */
export interface CostReport {
  /** The stage, or the file whose template it is. */
  name: string;
  isOfStrategy: boolean;
  prices: Prices;
  /** Whole days since the rates were gathered. */
  daysOld: number;
  scenarios: ScenarioMonth[];
  /** The load that was asked for; null where none was. */
  own: Month | null;
  savings: Saving[];
}

/**
 * Works out every month that is asked for.
 * @param nowMillis the moment of the report, by which the rates are so old
 * @throws BadInput
 */
export function makeReport(
  template: CostTemplate,
  prices: Prices,
  options: CostOptions,
  nowMillis: number,
): CostReport {
  const { shared, choices, requestsPerDay, hasBlackFriday } = options;
  const isOfStrategy = options.stage === stageOfStrategy;
  const months = scenarios.map((scenario) => {
    const month = estimateMonth(template, loadOf(scenario, shared), prices, choices);
    return { scenario, month, differences: isOfStrategy ? differencesFrom(scenario, month) : [] };
  });
  const own = requestsPerDay === null ? null : { ...shared, requestsPerDay, hasBlackFriday };
  const loads = [...months.map(({ month }) => month.load), ...(own === null ? [] : [own])];
  return {
    name: options.template ?? options.stage,
    isOfStrategy,
    prices,
    daysOld: Math.floor((nowMillis - Date.parse(prices.retrieved)) / 86_400_000),
    scenarios: months,
    own: own === null ? null : estimateMonth(template, own, prices, choices),
    savings: findSavings(template, loads, prices, choices),
  };
}

/** Every month of a report: those of the scenarios, then that of the load that was asked for. */
export function monthsOf({ scenarios: ofScenarios, own }: CostReport): Month[] {
  return [...ofScenarios.map(({ month }) => month), ...(own === null ? [] : [own])];
}
