// Shows the messages that match the words, the service and the topic; without it the page shows all of them.
const form = document.querySelector('form');
const articles = [...document.querySelectorAll('article')];

function show() {
  const { words, service, topic } = Object.fromEntries(new FormData(form));
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const article of articles) {
    const isShown =
      wanted.every((word) => article.dataset.words.includes(word)) &&
      (service === '' || article.dataset.services.split(' ').includes(service)) &&
      (topic === '' || article.dataset.topic === topic);
    article.hidden = !isShown;
    if (isShown) shown += 1;
  }
  form.querySelector('output').value = `${shown} of ${articles.length} messages`;
}

form.addEventListener('input', show);
form.addEventListener('submit', (event) => event.preventDefault());
show();
