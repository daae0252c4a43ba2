// Loaded by `npm start` before the program itself, which an older Node could not even read. JavaScript for that reason.
const { node } = process.versions;
if (node.split('.')[0] !== '24') {
  console.error(
    `Qurable runs on Node 24, and this is Node ${node}; "npm ci" brings the right one and "npm start" uses it.`,
  );
  process.exit(1);
}
