// @ts-check
/**
 * The lint rule `shoal/one-way-imports`: a module of src imports only modules of lower rows. Modules in one row ignore each
 * other; a file imports freely within its own module. Tests and benchmarks import everything, and nothing imports them.
 */
import { dirname, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * @param {string} path absolute
 * @returns {string | undefined} the module: a folder of src, or a file in it without its ending; undefined outside src
 */
function moduleOf(path) {
  const [top, name] = relative(root, path).split(sep);
  return top === 'src' ? name?.replace(/\.[jt]s$/, '') : undefined;
}

/** @param {readonly (readonly string[])[]} layers @param {string} from @param {string} to */
function mayImport(layers, from, to) {
  if (from === to) return true;
  /** @param {string} name */
  const rowOf = (name) => layers.findIndex((row) => row.includes(name));
  return rowOf(to) >= 0 && rowOf(to) < rowOf(from);
}

/**
 * @param {readonly (readonly string[])[]} layers rows of module names, the lowest first
 * @returns {import('eslint').Rule.RuleModule}
 */
export function oneWayImports(layers) {
  return {
    meta: {
      type: 'problem',
      schema: [],
      messages: {
        unknown: "'{{from}}' has no place among the layers: add it to LAYERS in eslint.config.mjs.",
        upward: "'{{from}}' must not import '{{to}}': imports go one way (LAYERS in eslint.config.mjs).",
        outside: "'{{from}}' must not import '{{to}}', which lies outside src.",
      },
    },
    create(context) {
      const from = moduleOf(context.filename);
      if (from === undefined || context.filename.endsWith('.test.ts')) return {};

      /** @param {import('estree').Node & { source?: unknown }} node */
      const check = (node) => {
        const source = /** @type {{ value?: unknown } | null | undefined} */ (node.source);
        const specifier = source?.value;
        if (typeof specifier !== 'string' || !specifier.startsWith('.')) return;
        const to = moduleOf(resolve(dirname(context.filename), specifier));
        if (to === undefined) context.report({ node, messageId: 'outside', data: { from, to: specifier } });
        else if (!mayImport(layers, from, to)) context.report({ node, messageId: 'upward', data: { from, to } });
      };
      return {
        Program(node) {
          if (!layers.some((row) => row.includes(from))) context.report({ node, messageId: 'unknown', data: { from } });
        },
        ImportDeclaration: check,
        ImportExpression: check,
        ExportNamedDeclaration: check,
        ExportAllDeclaration: check,
        TSImportType: check,
      };
    },
  };
}
