// Lint rules for `domain/` folders: a decision is a plain function of its arguments.
const noAwait = {
  meta: { type: 'problem', docs: { description: 'a decision does not wait for anything' }, schema: [] },
  create: (context) => {
    const refuse = (node) =>
      context.report({
        node,
        message: 'A decision is a plain function: it waits for nothing. Do I/O in a handler or a store.',
      });
    const refuseAsync = (node) => node.async && refuse(node);
    return {
      AwaitExpression: refuse,
      ForOfStatement: (node) => node.await && refuse(node),
      FunctionDeclaration: refuseAsync,
      FunctionExpression: refuseAsync,
      ArrowFunctionExpression: refuseAsync,
    };
  },
};

const noCurrentTime = {
  meta: { type: 'problem', docs: { description: 'time is an argument' }, schema: [] },
  create: (context) => {
    const refuse = (node) =>
      context.report({ node, message: 'Time is an argument: take `now` from the decision context.' });
    const isDate = ({ callee }) => callee.type === 'Identifier' && callee.name === 'Date';
    return {
      NewExpression: (node) => isDate(node) && node.arguments.length === 0 && refuse(node),
      // Called without `new`, Date answers the current time whatever it is given.
      CallExpression: (node) => isDate(node) && refuse(node),
    };
  },
};

export default { meta: { name: 'pure' }, rules: { 'no-await': noAwait, 'no-current-time': noCurrentTime } };
