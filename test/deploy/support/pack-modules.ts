import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { Module } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join, sep } from 'node:path';
import { Script } from 'node:vm';
import { claimFile } from '../../support/claim-file.ts';

/**
 * Loaded before the Serverless Framework (see keep-bundles.ts): the 2,800 modules that it loads of packages are taken
 * from one file, which the first such process of a test run writes at its end, with what V8 has compiled of them.
 * To find, read and compile them one by one took half of each packaging. Their code stays as it is, and so does what
 * each of them sees of itself; what the file has not is loaded as ever.
 */
type Load = (this: unknown, exports: unknown, require: object, module: object, file: string, folder: string) => void;

/** Parts of Node's own `require` of which its declarations do not tell. */
const inner = Module as unknown as {
  prototype: { _compile(this: NodeModule, text: string, file: string, format?: string): unknown };
  _resolveFilename(request: string, parent: NodeModule | undefined, isMain: boolean, options?: object): string;
  _extensions: Record<string, (module: NodeModule, file: string) => void>;
  _cache: Record<string, NodeModule>;
};
const packages = join(import.meta.dirname, '../../../node_modules') + sep;
const kept = join(tmpdir(), 'kept-modules');
/** Each command has a file of its own, since one that deploys loads more than one that packages. */
const pack = join(kept, `${(process.argv[2] ?? 'none').replaceAll(/\W/g, '')}.js`);
/** What the modules of a folder asked for, by both: the file that they got. */
const found: Record<string, string> = existsSync(pack) ? JSON.parse(readFileSync(`${pack}on`, 'utf8')) : {};

/** What a script starts beside the framework is given the same options of Node, and goes on as ever. */
export const isServerless = /\/(sls|serverless\.js)$/.test(process.argv[1] ?? '');
if (isServerless) packModules();

function packModules(): void {
  mkdirSync(kept, { recursive: true });
  resolveOnce();
  compileOnce();
  if (existsSync(pack)) takeFromPack();
  else process.once('exit', writePack);
}

function resolveOnce(): void {
  const resolveAnew = inner._resolveFilename;
  inner._resolveFilename = (request, parent, isMain, options) => {
    const from = parent?.filename ?? '';
    if (options !== undefined || !from.startsWith(packages)) return resolveAnew(request, parent, isMain, options);
    const asked = `${dirname(from)}\0${request}`;
    found[asked] ??= resolveAnew(request, parent, isMain);
    return found[asked];
  };
}

/** Serverless compiles the check of its configuration from a text that it keeps, as large as all its other code. */
function compileOnce(): void {
  const compileAnew = inner.prototype._compile;
  inner.prototype._compile = function compile(text, file, format) {
    if (!file.includes('[generated-ajv-validate]')) return compileAnew.call(this, text, file, format);
    const load = runCompiled(inFunction(text), basename(file)) as Load;
    return load.call(this.exports, this.exports, requireOf(this), this, file, dirname(file));
  };
}

function takeFromPack(): void {
  const loads = runCompiled(readFileSync(pack, 'utf8'), basename(pack)) as Record<string, Load>;
  const loadAnew = inner._extensions['.js']!;
  inner._extensions['.js'] = (module, file) => {
    const load = loads[file];
    if (load === undefined) loadAnew(module, file);
    else load.call(module.exports, module.exports, requireOf(module), module, file, dirname(file));
  };
}

/** Runs a script by what V8 has compiled of it in another process of the run; the first one writes that at its end. */
function runCompiled(text: string, name: string): unknown {
  const file = join(kept, `${name}.compiled`);
  const cachedData = existsSync(file) ? readFileSync(file) : undefined;
  const script = new Script(text, { filename: join(kept, name), ...(cachedData === undefined ? {} : { cachedData }) });
  if (cachedData === undefined) process.once('exit', () => moveIntoPlace(file, script.createCachedData()));
  return script.runInThisContext();
}

/** The `require` that Node gives to a module. */
function requireOf(module: NodeModule): object {
  return Object.assign((request: string) => module.require(request), {
    resolve: (request: string, options?: object) => inner._resolveFilename(request, module, false, options),
    main: process.mainModule,
    extensions: inner._extensions,
    cache: inner._cache,
  });
}

const inFunction = (text: string) => `(function (exports, require, module, __filename, __dirname) {${text}\n})`;

function writePack(): void {
  if (!claimFile(`${pack}.claim`)) return;
  const files = Object.keys(inner._cache).filter((file) => file.startsWith(packages) && /\.c?js$/.test(file));
  const texts = files.map((file) => [file, readFileSync(file, 'utf8').replace(/^#!.*/, '')] as const);
  const functions = texts
    // Node alone can import, and gives each module a way to do so.
    .filter(([, text]) => !/\bimport\s*\(|^\s*(import|export)\b/m.test(text))
    .map(([file, text]) => `${JSON.stringify(file)}: ${inFunction(text)}`);
  moveIntoPlace(`${pack}on`, JSON.stringify(found));
  moveIntoPlace(pack, `({\n${functions.join(',\n')}\n})`);
  rmSync(`${pack}.claim`, { force: true });
}

/** Others may look for the file at any moment. */
function moveIntoPlace(file: string, content: string | Buffer): void {
  writeFileSync(`${file}.${process.pid}`, content);
  renameSync(`${file}.${process.pid}`, file);
}
