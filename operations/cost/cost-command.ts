import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { BadInput } from './bad-input.ts';
import { compareMonths } from './compare-months.ts';
import { drawChart, loadsOfChart } from './draw-chart.ts';
import { estimateMonth } from './estimate-month.ts';
import { type CostReport, makeReport } from './make-report.ts';
import { packageCommit, packageStage, withRegistry } from './package-stage.ts';
import { printComparison, printReport, reportAsJson } from './print-report.ts';
import { type CostOptions, readOptions, usage } from './read-options.ts';
import { type Prices, readPrices } from './read-prices.ts';
import { loadOf, scenarios } from './strategy.ts';
import { type CostTemplate, readTemplate } from './template.ts';

/**
 * `npm run cost`. Prints on the standard output; changes nothing but the chart's file.
 * @returns the exit status: 0, or 2 where what was given can't be used, with one line on the standard error
 */
async function main(args: string[]): Promise<number> {
  try {
    const options = readOptions(args);
    console.log(options.help ? usage : await answer(options));
    return 0;
  } catch (error) {
    if (!(error instanceof BadInput)) throw error;
    console.error(error.message);
    return 2;
  }
}

async function answer(options: CostOptions): Promise<string> {
  const { template, region } = await templateOf(options);
  const prices = readPrices(options.region ?? region, options.prices);
  if (options.compare !== null) return await compareWith(options.compare, template, prices, options);
  const report = makeReport(template, prices, options, Date.now());
  if (options.svg !== null) writeChart(options.svg, chartOf(report, template, prices, options));
  return options.json ? reportAsJson(report) : printReport(report);
}

function chartOf(report: CostReport, template: CostTemplate, prices: Prices, options: CostOptions): string {
  const months = loadsOfChart.map((requestsPerDay) =>
    estimateMonth(template, { ...options.shared, requestsPerDay, hasBlackFriday: false }, prices, options.choices),
  );
  const ofScenarios = report.scenarios.map(({ month }) => month);
  const title = `What ${report.name} costs in a month against its load, ${prices.region}`;
  return drawChart(title, months, ofScenarios, report.isOfStrategy);
}

/** Both under the same prices and choices, so that only the templates differ. */
async function compareWith(
  other: string,
  template: CostTemplate,
  prices: Prices,
  options: CostOptions,
): Promise<string> {
  const earlier = existsSync(other)
    ? withRegistry(readTemplate(readFileSync(other, 'utf8'), other))
    : (await packageCommit(other, options.stage, options.parameters)).template;
  const { requestsPerDay, hasBlackFriday, shared, choices } = options;
  const loads =
    requestsPerDay === null
      ? scenarios.map((scenario) => loadOf(scenario, shared))
      : [{ ...shared, requestsPerDay, hasBlackFriday }];
  const name = options.template ?? options.stage;
  const comparisons = loads.map((load) => {
    const [before, after] = [earlier, template].map((one) => estimateMonth(one, load, prices, choices));
    return printComparison(before!, after!, compareMonths(before!, after!));
  });
  return [`The month of ${name}, before and after this change:`, '', ...comparisons].join('\n');
}

async function templateOf(options: CostOptions): Promise<{ template: CostTemplate; region: string }> {
  if (options.template === null) return await packageStage(options.stage, options.parameters);
  if (!existsSync(options.template)) throw new BadInput(`--template ${options.template}: there is no such file`);
  return {
    template: withRegistry(readTemplate(readFileSync(options.template, 'utf8'), options.template)),
    region: 'us-east-1',
  };
}

function writeChart(file: string, svg: string): void {
  try {
    writeFileSync(file, svg);
  } catch (error) {
    throw new BadInput(`--svg ${file}: it can’t be written (${(error as NodeJS.ErrnoException).code})`);
  }
}

process.exitCode = await main(process.argv.slice(2));
