from api.test_junk import *
from api.test_deliveries import *
from api.test_accounts import *
from api.test_keys import *
from api.test_publishing import *
from api.test_endpoints import *
from conftest import services_on
from databases import fresh_database
from hookwright.store.postgres import PostgresStore
from hookwright.engine.intake import GroupCommit
@pytest.fixture
async def services(postgres_url, clock):
    async with fresh_database(postgres_url) as url:
        store = PostgresStore(url, max_connections=4)
        await store.migrate()
        intake = GroupCommit(store)
        yield services_on(store, clock, intake)
        await intake.close()
        await store.close()
